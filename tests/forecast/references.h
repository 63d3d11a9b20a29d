#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace tillcast::forecast::test {

/// The lines of tests/data/forecast/references.txt by name.
class References : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    values_.clear();
    std::ifstream file(TILLCAST_SOURCE_DIR "/tests/data/forecast/references.txt");
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::string name;
      words >> name;
      for (double value = 0; words >> value;) values_[name].push_back(value);
    }
  }
  static const std::vector<double>& get(const std::string& name) {
    const auto found = values_.find(name);
    EXPECT_NE(found, values_.end()) << "no line " << name;
    static const std::vector<double> none(200, NAN);
    return found == values_.end() ? none : found->second;
  }
  static bool has(const std::string& name) { return values_.contains(name); }
  static inline std::map<std::string, std::vector<double>> values_;
};

}  // namespace tillcast::forecast::test
