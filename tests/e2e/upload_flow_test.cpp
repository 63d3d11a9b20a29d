// Upload, train, predict over HTTP, as the fifth of the systems replaced promised it: 40 stores, 50 products.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <regex>
#include <set>
#include <thread>

#include "e2e/job_client.h"

namespace tillcast::test {
namespace {

using ::testing::HasSubstr;

class UploadFlow : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TempDir;
    sales_ = new SevenColumnSales(seven_column_sales(folder_->path(), 40, 50, 1096, "0.06", "2025-07-01"));
  }
  static void TearDownTestSuite() {
    delete sales_;
    delete folder_;
  }
  std::filesystem::path fresh_shop(const std::string& name) {
    const auto shop = folder_->file(name);
    make_monthly_shop(shop);
    return shop;
  }
  // Every stored forecast, page by page: series -> last date of data.
  static std::map<std::string, std::string> all_predictions(int port, std::size_t& points) {
    std::map<std::string, std::string> series;
    std::string target = "/api/v1/predictions?plan=store_product_monthly&limit=5000";
    while (!target.empty()) {
      const auto page = get(port, target);
      EXPECT_EQ(page.status, 200) << page.text;
      if (page.status != 200) break;
      for (const auto& one : page.json["data"].GetArray()) {
        EXPECT_TRUE(series.emplace(one["series_id"].GetString(), one["data_until"].GetString()).second);
        points += one["points"].Size();
      }
      target = page.json["has_more"].GetBool()
                   ? "/api/v1/predictions?plan=store_product_monthly&limit=5000&cursor=" +
                         std::string(page.json["next_cursor"].GetString())
                   : "";
    }
    return series;
  }

  static inline TempDir* folder_ = nullptr;
  static inline SevenColumnSales* sales_ = nullptr;
};

TEST_F(UploadFlow, ForecastsOfEveryStoreProductAndMonthAreFetchedAndASecondFileSupersedesThem) {
  const auto shop = fresh_shop("shop");
  RunningServer server(shop);
  ASSERT_GT(server.port(), 0);
  EXPECT_EQ(get(server.port(), "/readyz").status, 503) << "there is nothing yet";

  std::string early = sales_->before;
  early += "P0001,Broken,2.50,S001,Store S001,many,2025-06-30 10:00:00\n";
  const auto first = upload(server.port(), early, "..%2F..%2Fjune.csv");
  ASSERT_EQ(first.status, 202) << first.text;
  EXPECT_STREQ(first.json["name"].GetString(), "june.csv");
  EXPECT_THAT(first.header, HasSubstr("Location: /api/v1/uploads/"));
  const std::string first_job = first.json["job_id"].GetString();
  const auto done = finished_job(server.port(), first_job);
  ASSERT_STREQ(done.json["state"].GetString(), "succeeded") << done.text;
  EXPECT_EQ(done.json["result"]["rows_in"].GetInt64(), sales_->rows_before + 1);
  EXPECT_EQ(done.json["result"]["rows_rejected"].GetInt64(), 1);
  EXPECT_THAT(done.json["result"]["reject_examples"][0].GetString(), HasSubstr("quantity"));

  std::size_t points = 0;
  const auto early_series = all_predictions(server.port(), points);
  EXPECT_GE(early_series.size(), 1900U);
  EXPECT_EQ(points, early_series.size() * 6) << "6 months are 6 points";
  EXPECT_EQ(early_series.begin()->second.substr(0, 7), "2025-06");
  const auto csv =
      ask(server.port(),
          {"GET", "/api/v1/jobs/" + first_job + "/predictions?limit=100000", {}, {}, "Accept: text/csv\r\n"});
  EXPECT_EQ(csv.status, 200);
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(csv.text, '\n')), points + 1);
  EXPECT_THAT(csv.text, HasSubstr("store_product_monthly/S001|P0001,S001,P0001,2025-07-01,"));

  // Ids that were never seen are forecast beside the known ones and say so; strict gives errors instead.
  const std::string unseen =
      R"({"items":[{"series_id":"store_product_monthly/S001|P0001"},)"
      R"({"series_id":"store_product_monthly/S001|P9999"},{"series_id":"store_product_monthly/S999|P0001"},)"
      R"({"series_id":"store_product_monthly/S999|P9999"},{"series_id":"store_product_monthly/S001"},)"
      R"({"series_id":"nothing/S001|P0001"}],"horizon":)";
  const auto mixed = ask(server.port(), {"POST", "/api/v1/forecast", unseen + "9}"});
  EXPECT_EQ(mixed.status, 200) << mixed.text;
  EXPECT_EQ(mixed.json["failed"].GetInt(), 2) << mixed.text;
  for (rapidjson::SizeType i = 0; i < 4; ++i) {
    ASSERT_STREQ(mixed.json["items"][i]["status"].GetString(), "ok") << mixed.text;
    const auto& forecast = mixed.json["items"][i]["forecast"];
    ASSERT_EQ(forecast["points"].Size(), 9U) << i;
    EXPECT_STREQ(forecast["points"][0]["date"].GetString(), "2025-07-01");
    EXPECT_EQ(forecast.HasMember("cold_start"), i > 0);
    if (i == 0) continue;
    EXPECT_STREQ(forecast["model"].GetString(), "cold_start");
    EXPECT_GT(forecast["points"][0]["mean"].GetDouble(), 0);
    EXPECT_GT(forecast["points"][8]["mean"].GetDouble(), 0) << "beyond the six stored months";
    EXPECT_GT(forecast["points"][0]["intervals"][0]["high"].GetDouble(),
              forecast["points"][0]["mean"].GetDouble());
  }
  EXPECT_THAT(mixed.json["items"][1]["forecast"]["cold_start"]["basis"].GetString(),
              HasSubstr("store S001 known, product P9999 new"));
  EXPECT_THAT(mixed.json["items"][2]["forecast"]["cold_start"]["basis"].GetString(),
              HasSubstr("product P0001 known, store S999 new"));
  EXPECT_THAT(mixed.json["items"][4]["error"]["detail"].GetString(),
              HasSubstr("has the form store_product_monthly/<store>|<product>"));
  const auto strict = ask(server.port(), {"POST", "/api/v1/forecast", unseen + R"(6,"strict":true})"});
  EXPECT_EQ(strict.json["failed"].GetInt(), 5) << strict.text;
  EXPECT_THAT(strict.json["items"][2]["error"]["detail"].GetString(), HasSubstr("S999"));

  const auto why = get(server.port(), "/api/v1/series/store_product_monthly%2FS001%7CP0001/explanation");
  ASSERT_EQ(why.status, 200) << why.text;
  ASSERT_EQ(why.json["points"].Size(), 6U);
  for (const auto& point : why.json["points"].GetArray()) {
    double sum = 0;
    for (const auto& part : point["parts"].GetArray()) sum += part["value"].GetDouble();
    EXPECT_NEAR(sum, point["value"].GetDouble(), 1e-4 * std::max(1.0, sum)) << why.text;
  }
  EXPECT_TRUE(why.json["note"].IsNull()) << why.text;
  const auto words = tillcast({"forecast", "explain", "store_product_monthly/S001|P0001",
                               why.json["points"][0]["date"].GetString(), "--data", shop.string()});
  EXPECT_EQ(words.exit_code, 0) << words.err;
  EXPECT_THAT(words.out, HasSubstr("sum"));
  const auto guess =
      tillcast({"forecast", "predict", "store_product_monthly/S001|P9999", "--data", shop.string()});
  EXPECT_EQ(guess.exit_code, 0) << guess.err;
  EXPECT_THAT(guess.err, HasSubstr("never seen: store S001 known, product P9999 new"));

  EXPECT_EQ(upload(server.port(), early, "again.csv").status, 200) << "the same file starts nothing";
  EXPECT_EQ(get(server.port(), "/api/v1/jobs").json["data"].Size(), 1U);

  const auto second = upload(server.port(), sales_->after, "december.csv");
  ASSERT_EQ(second.status, 202) << second.text;
  const auto again = finished_job(server.port(), second.json["job_id"].GetString());
  ASSERT_STREQ(again.json["state"].GetString(), "succeeded") << again.text;
  EXPECT_EQ(again.json["result"]["rows_loaded"].GetInt64(), sales_->rows_after);
  points = 0;
  const auto late_series = all_predictions(server.port(), points);
  EXPECT_EQ(late_series.size(), sales_->pairs.size()) << "both files' stores and products";
  EXPECT_GE(late_series.begin()->second, "2025-12-31");
  EXPECT_EQ(get(server.port(), "/api/v1/jobs/" + first_job + "/predictions").status, 409) << "superseded";
  const auto series = get(server.port(), "/api/v1/series/store_product_monthly%2FS001%7CP0001");
  EXPECT_LT(std::string(series.json["series"]["first"].GetString()), "2023-07") << "history of both files";
  EXPECT_EQ(server.stop(SIGTERM), 0);
}

TEST_F(UploadFlow, AThousandReadersAreAnsweredWhileATrainingRuns) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < 2200) TILLCAST_SKIP_OR_FAIL("ulimit -n is below 2200");
  const auto shop = fresh_shop("readers");
  RunningServer server(shop);
  ASSERT_GT(server.port(), 0);
  const auto loaded = upload(server.port(), sales_->before);
  ASSERT_STREQ(finished_job(server.port(), loaded.json["job_id"].GetString()).json["state"].GetString(),
               "succeeded");
  const auto training = upload(server.port(), sales_->after);
  const std::string job = training.json["job_id"].GetString();
  const std::string body =
      R"({"items":[{"series_id":"store_product_monthly/S001|P0001"},{"series_id":"store_product_monthly/S007|P0011"}],"horizon":6})";
  const std::string request =
      "POST /api/v1/forecast HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
      "application/json\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
  int rounds = 0;
  double slowest = 0;
  std::set<std::string> versions;
  int mixed = 0;
  const auto read_by_a_thousand = [&] {
    std::vector<int> sockets;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(server.port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 1000; ++i) {
      sockets.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      ASSERT_EQ(::connect(sockets.back(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    const auto begun = std::chrono::steady_clock::now();
    for (const int socket : sockets)
      ASSERT_EQ(::send(socket, request.data(), request.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(request.size()));
    int answered = 0;
    for (const int socket : sockets) {
      std::string answer;
      std::array<char, 16384> block;
      for (ssize_t got; (got = ::recv(socket, block.data(), block.size(), 0)) > 0;)
        answer.append(block.data(), static_cast<std::size_t>(got));
      ::close(socket);
      const auto end = answer.find("\r\n\r\n");
      rapidjson::Document json;
      json.Parse(end == std::string::npos ? "" : answer.c_str() + end + 4);
      if (!answer.starts_with("HTTP/1.1 200 ") || json.HasParseError() || json["failed"].GetInt() != 0)
        continue;
      ++answered;
      std::set<std::string> here;
      for (const auto& item : json["items"].GetArray()) {
        const auto& forecast = item["forecast"];
        here.insert(std::to_string(forecast["model_version"].GetInt()) + " " +
                    forecast["run_id"].GetString());
      }
      mixed += here.size() == 1 ? 0 : 1;
      versions.insert(here.begin(), here.end());
    }
    EXPECT_EQ(answered, 1000);
    slowest =
        std::max(slowest, std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
    ++rounds;
  };
  int rounds_while_training = 0;
  bool running = true;
  while (running && rounds < 200) {
    ASSERT_NO_FATAL_FAILURE(read_by_a_thousand());
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // the training has its turn as well
    const auto now = get(server.port(), "/api/v1/jobs/" + job);
    running = std::string(now.json["state"].GetString()) == "running";
    if (running && now.json["progress"].IsObject() &&
        std::string(now.json["progress"]["stage"].GetString()).starts_with("forecast"))
      ++rounds_while_training;
  }
  std::printf("%d rounds of 1000 readers, %d of them while models were fitted; the slowest took %.2f s\n",
              rounds, rounds_while_training, slowest);
  EXPECT_GE(rounds_while_training, 1) << "the training must have run meanwhile";
  ASSERT_STREQ(finished_job(server.port(), job).json["state"].GetString(), "succeeded");
  // The two versions change places while a thousand read.
  const auto now = ask(server.port(), {"POST", "/api/v1/forecast", body});
  const int champion = now.json["items"][0]["forecast"]["model_version"].GetInt();
  std::atomic<bool> promoting{true};
  std::thread promoter([&] {
    for (const int version : {3 - champion, champion, 3 - champion}) {
      const auto done = tillcast({"model", "promote", "store_product_monthly", std::to_string(version),
                                  "--force", "--data", shop.string()});
      EXPECT_EQ(done.exit_code, 0) << done.err;
    }
    promoting = false;
  });
  const auto before = versions;
  versions.clear();
  while (promoting && !HasFatalFailure()) read_by_a_thousand();
  promoter.join();
  if (!HasFatalFailure()) read_by_a_thousand();
  EXPECT_EQ(versions.size(), 2U) << "both versions were served while they changed places";
  EXPECT_GE(before.size(), 1U);
  EXPECT_EQ(mixed, 0) << "every answer is of one version and one run";
  EXPECT_LT(slowest, 10.0);
}

TEST_F(UploadFlow, TrainOnTheCommandLineIsAJobOfTheServer) {
  const auto shop = fresh_shop("commands");
  RunningServer server(shop);
  ASSERT_GT(server.port(), 0);
  const std::string small = sales_->before.substr(0, sales_->before.rfind('\n', 200'000) + 1);
  const auto loaded = upload(server.port(), small);
  ASSERT_STREQ(finished_job(server.port(), loaded.json["job_id"].GetString()).json["state"].GetString(),
               "succeeded");
  const auto trained = tillcast({"train", "store_product_monthly/S001|P0001", "--data", shop.string()});
  EXPECT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_EQ(trained.out, "job-000002\n");
  const auto job = get(server.port(), "/api/v1/jobs/job-000002");
  EXPECT_STREQ(job.json["series_id"].GetString(), "store_product_monthly/S001|P0001");
  const auto& result = job.json["result"]["runs"][0];
  EXPECT_EQ(result["fitted_version"].GetInt(), 2) << job.text;
  const std::string verdict = result["verdict"].GetString();
  EXPECT_THAT(verdict, HasSubstr("store_product_monthly/S001|P0001 alone: "));
  const std::string versions = tillcast({"model", "ls", "--data", shop.string()}).out;
  const bool won = std::regex_search(versions, std::regex("store_product_monthly +2 +champion"));
  EXPECT_TRUE(won || std::regex_search(versions, std::regex("store_product_monthly +2 +challenger")))
      << versions;
  const auto series = get(server.port(), "/api/v1/series/store_product_monthly%2FS001%7CP0001?history=0");
  EXPECT_STREQ(series.json["forecast"]["run_id"].GetString(), result["run_id"].GetString());
  EXPECT_EQ(series.json["forecast"]["model_version"].GetInt(), won ? 2 : 1) << "readers get the champion";
  const auto listed = tillcast({"jobs", "ls", "--data", shop.string()});
  EXPECT_THAT(listed.out, HasSubstr("job-000002"));
  EXPECT_THAT(tillcast({"jobs", "show", "job-000001", "--data", shop.string()}).out, HasSubstr("succeeded"));
  EXPECT_EQ(tillcast({"jobs", "cancel", "job-000001", "--data", shop.string()}).exit_code, 1);
  const auto unknown = tillcast({"train", "nothing", "--data", shop.string()});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("there are: store_product_monthly"));
  EXPECT_EQ(server.stop(SIGTERM), 0);
  // Without a server: the same words work here and now.
  EXPECT_THAT(tillcast({"jobs", "ls", "--data", shop.string()}).out, HasSubstr("job-000002"));
  const auto direct = tillcast({"train", "store_product_monthly/S001|P0001", "--data", shop.string()});
  EXPECT_EQ(direct.exit_code, 0) << direct.err;
}

TEST_F(UploadFlow, AFormIsTheSameUploadAsItsFile) {
  const auto shop = fresh_shop("form");
  RunningServer server(shop);
  ASSERT_GT(server.port(), 0);
  const std::string small = sales_->before.substr(0, sales_->before.rfind('\n', 50'000) + 1);
  const std::string form =
      "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"june.csv\"\r\n"
      "Content-Type: text/csv\r\n\r\n" +
      small + "\r\n--b--\r\n";
  const std::string type = "multipart/form-data; boundary=b";
  const std::string own = "Origin: http://127.0.0.1\r\n";
  EXPECT_EQ(
      ask(server.port(), {"POST", "/api/v1/uploads", form, type, "Origin: http://evil.example\r\n"}).status,
      403);
  const auto sent = ask(server.port(), {"POST", "/api/v1/uploads", form, type, own});
  ASSERT_EQ(sent.status, 202) << sent.text;
  EXPECT_STREQ(sent.json["name"].GetString(), "june.csv");
  EXPECT_EQ(sent.json["bytes"].GetUint64(), small.size());
  EXPECT_EQ(upload(server.port(), small).status, 200) << "the very same file";
  const auto job = finished_job(server.port(), sent.json["job_id"].GetString());
  EXPECT_STREQ(job.json["state"].GetString(), "succeeded") << job.text;
}

TEST_F(UploadFlow, TheTrainingScheduleFiresInTheServer) {
  const auto shop = fresh_shop("schedule");
  RunningServer server(shop, {}, {"--set", "forecast.retrain=every 2s"});
  ASSERT_GT(server.port(), 0);
  const std::string small = sales_->before.substr(0, sales_->before.rfind('\n', 50'000) + 1);
  const auto loaded = upload(server.port(), small);
  finished_job(server.port(), loaded.json["job_id"].GetString());
  bool fired = false;
  for (int i = 0; i < 200 * test::kPatience && !fired; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const auto jobs = get(server.port(), "/api/v1/jobs?state=succeeded");
    for (const auto& job : jobs.json["data"].GetArray())
      fired = fired || std::string(job["trigger"].GetString()) == "schedule";
  }
  EXPECT_TRUE(fired);
}

}  // namespace
}  // namespace tillcast::test
