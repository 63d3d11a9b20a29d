// Jobs and uploads of a real server that is killed, or whose disk is full.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <poll.h>

#include <algorithm>
#include <cstdio>

#include "e2e/job_client.h"
#include "support/result_matchers.h"

namespace tillcast::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class JobCrash : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TempDir;
    sales_ = new SevenColumnSales(seven_column_sales(folder_->path(), 3, 4, 500, "0.3", "2025-01-01"));
    sales_->before += "P0001,Broken,2.50,S001,Store S001,many,2024-06-30 10:00:00\n";
  }
  static void TearDownTestSuite() {
    delete sales_;
    delete folder_;
  }
  std::filesystem::path fresh_shop() {
    const auto shop = folder_->file("shop");
    std::filesystem::remove_all(shop);
    make_monthly_shop(shop);
    return shop;
  }
  static std::vector<std::string> stray_files(const std::filesystem::path& shop) {
    std::vector<std::string> names;
    for (const char* folder : {"uploads", "runs/jobs"}) {
      for (const auto& entry : std::filesystem::recursive_directory_iterator(shop / folder)) {
        const std::string name = entry.path().filename().string();
        if (name.ends_with(".part") || name.starts_with('.')) names.push_back(name);
      }
    }
    return names;
  }

  static inline TempDir* folder_ = nullptr;
  static inline SevenColumnSales* sales_ = nullptr;
};

TEST_F(JobCrash, KilledAtEveryPointAFileIsStillOneUploadAndItsWorkIsDoneOnce) {
  for (const char* point :
       {"uploads.received", "uploads.stored", "uploads.recorded", "jobs.submitted", "uploads.job_submitted",
        "jobs.started", "jobs.half_trained", "jobs.work_done", "jobs.finished"}) {
    SCOPED_TRACE(point);
    const auto shop = fresh_shop();
    {
      RunningServer doomed(shop, {std::string("TILLCAST_CRASH_AT=") + point});
      ASSERT_GT(doomed.port(), 0);
      upload(doomed.port(), sales_->before);
      ASSERT_EQ(doomed.died_within(30s * test::kPatience), SIGKILL) << "the point must be on the way";
    }
    RunningServer server(shop);
    ASSERT_GT(server.port(), 0);
    const auto again = upload(server.port(), sales_->before);
    ASSERT_THAT(again.status, ::testing::AnyOf(200, 202)) << again.text;
    const auto job = finished_job(server.port(), again.json["job_id"].GetString());
    EXPECT_STREQ(job.json["state"].GetString(), "succeeded") << job.text;
    EXPECT_LE(job.json["attempt"].GetInt(), 2);
    EXPECT_EQ(job.json["result"]["rows_rejected"].GetInt64(), 1);
    ASSERT_EQ(job.json["result"]["reject_examples"].Size(), 1U) << "also when an earlier attempt rejected it";
    EXPECT_THAT(job.json["result"]["reject_examples"][0].GetString(), HasSubstr("quantity: "));
    EXPECT_EQ(get(server.port(), "/api/v1/jobs").json["data"].Size(), 1U) << "exactly one job";
    EXPECT_EQ(get(server.port(), "/api/v1/uploads").json["data"].Size(), 1U);
    EXPECT_GT(get(server.port(), "/api/v1/predictions").json["data"].Size(), 0U);
    const auto rows = tillcast(
        {"sql", "--data", shop.string(), "--format", "csv", "SELECT count(*) AS rows FROM silver.sale_line"});
    EXPECT_EQ(rows.out, "rows\n" + std::to_string(sales_->rows_before) + "\n");
    EXPECT_EQ(server.stop(SIGTERM), 0);
    EXPECT_THAT(stray_files(shop), ::testing::IsEmpty());
  }
}

TEST_F(JobCrash, KilledTwiceInTheSameJobItHasFailedWithTextAndTheQueueGoesOn) {
  const auto shop = fresh_shop();
  std::string job;
  for (int attempt = 1; attempt <= 2; ++attempt) {
    RunningServer doomed(shop, {"TILLCAST_CRASH_AT=jobs.half_trained"});
    ASSERT_GT(doomed.port(), 0);
    if (attempt == 1) job = upload(doomed.port(), sales_->before).json["job_id"].GetString();
    ASSERT_EQ(doomed.died_within(30s * test::kPatience), SIGKILL);
  }
  RunningServer server(shop);
  ASSERT_GT(server.port(), 0);
  const auto dead = finished_job(server.port(), job);
  EXPECT_STREQ(dead.json["state"].GetString(), "failed");
  EXPECT_EQ(dead.json["attempt"].GetInt(), 2);
  EXPECT_THAT(dead.json["error"].GetString(), HasSubstr("both attempts"));
  const std::string id = get(server.port(), "/api/v1/uploads").json["data"][0]["id"].GetString();
  EXPECT_STREQ(get(server.port(), "/api/v1/uploads/" + id).json["state"].GetString(), "dead_letter");
  const auto replayed = ask(server.port(), {"POST", "/api/v1/uploads/" + id + "/replay"});
  EXPECT_EQ(replayed.status, 202);
  EXPECT_STREQ(finished_job(server.port(), replayed.json["job_id"].GetString()).json["state"].GetString(),
               "succeeded");
}

bool may_mount() { return std::system("unshare -m mount -t tmpfs -o size=64k tmpfs /mnt 2>/dev/null") == 0; }

TEST(JobDiskFault, InsideASmallDisk) {
  const char* const mount = std::getenv("TILLCAST_JOBS_MOUNT");
  if (mount == nullptr) return;  // the work of a child process that AFullDiskIs507AndTheServerGoesOn starts
  const std::filesystem::path shop = std::filesystem::path(mount) / "shop";
  make_monthly_shop(shop);
  const TempDir folder;
  const auto sales = seven_column_sales(folder.path(), 3, 4, 500, "0.3", "2025-01-01");
  RunningServer server(shop);
  ASSERT_GT(server.port(), 0);
  std::string large = sales.before;
  while (large.size() < (80U << 20)) large += large.substr(72, 10 << 20);
  const auto stated = upload(server.port(), large, "stated.csv");
  EXPECT_EQ(stated.status, 507) << stated.text;
  // Without a stated length only writing finds out.
  std::string chunks;
  for (std::size_t at = 0; at < large.size(); at += 1 << 20) {
    const std::string piece = large.substr(at, 1 << 20);
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
    chunks += size + piece + "\r\n";
  }
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(server.port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const std::string head =
      "POST /api/v1/uploads HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  ::send(socket, head.data(), head.size(), MSG_NOSIGNAL);
  for (std::string_view rest = chunks; !rest.empty();) {
    const ssize_t sent = ::send(socket, rest.data(), std::min<std::size_t>(rest.size(), 65536), MSG_NOSIGNAL);
    if (sent <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(sent));
    pollfd answered{socket, POLLIN, 0};
    if (::poll(&answered, 1, 0) == 1) break;
  }
  char line[64] = {};
  EXPECT_GT(::recv(socket, line, sizeof line - 1, 0), 0);
  EXPECT_THAT(std::string(line), ::testing::StartsWith("HTTP/1.1 507"));
  ::close(socket);
  EXPECT_EQ(get(server.port(), "/api/v1/uploads").json["data"].Size(), 0U) << "nothing half-visible";
  for (const auto& entry : std::filesystem::directory_iterator(shop / "uploads" / "incoming"))
    ADD_FAILURE() << entry.path() << " was left behind";
  const auto small = upload(server.port(), sales.before, "small.csv");
  ASSERT_EQ(small.status, 202) << small.text;
  const auto job = finished_job(server.port(), small.json["job_id"].GetString());
  EXPECT_STREQ(job.json["state"].GetString(), "succeeded") << job.text;
}

TEST(JobDiskFault, AFullDiskIs507AndTheServerGoesOn) {
  if (!may_mount()) TILLCAST_SKIP_OR_FAIL("unshare and mount are not allowed here");
  const TempDir folder;
  const std::string command = "mount -t tmpfs -o size=64m tmpfs " + folder.path().string() +
                              " && TILLCAST_JOBS_MOUNT=" + folder.path().string() + " " +
                              std::filesystem::read_symlink("/proc/self/exe").string() +
                              " --gtest_filter=JobDiskFault.InsideASmallDisk";
  const auto result = run_process({"/usr/bin/unshare", "-m", "/bin/sh", "-c", command});
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
}

}  // namespace
}  // namespace tillcast::test
