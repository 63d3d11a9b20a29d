#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

namespace tillcast::test {

/// Bytes in, bytes out: the health and reflection services have no generated client here.
class RawGrpcCall : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  RawGrpcCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
              const std::string& bytes)
      : stub_(channel), slice_(bytes), request_(&slice_, 1) {
    stub_.PrepareBidiStreamingCall(&context_, method, grpc::StubOptions(), this);
    StartWriteLast(&request_, grpc::WriteOptions());
    StartRead(&response_);
    StartCall();
  }
  grpc::Status wait() { return done_.get_future().get(); }
  std::string answer() const {
    std::vector<grpc::Slice> slices;
    if (!response_.Valid() || !response_.Dump(&slices).ok()) return {};
    std::string bytes;
    for (const auto& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    return bytes;
  }
  void OnDone(const grpc::Status& status) override { done_.set_value(status); }

 private:
  grpc::ClientContext context_;
  grpc::GenericStub stub_;
  grpc::Slice slice_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  std::promise<grpc::Status> done_;
};

/// What a server says of a service by the health protocol: 1 serving, 2 not serving, -1 unknown or no answer.
inline int grpc_health(const std::shared_ptr<grpc::Channel>& channel, const std::string& name = "") {
  RawGrpcCall call(channel, "/grpc.health.v1.Health/Check",
                   name.empty() ? "" : "\x0A" + std::string(1, static_cast<char>(name.size())) + name);
  if (!call.wait().ok()) return -1;
  const std::string answer = call.answer();
  return answer.size() == 2 && answer[0] == '\x08' ? answer[1] : 0;
}

}  // namespace tillcast::test
