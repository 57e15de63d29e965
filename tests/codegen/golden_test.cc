// The generator's output, compared with what is checked in under golden/. To write that anew after a change:
//
//   EVERFOLD_UPDATE_GOLDEN=1 build/dev/tests/codegen/codegen_test --gtest_filter='*Golden*'
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/codegen/generator_run.h"

namespace everfold::codegen {
namespace {

struct Case {
  std::string root;
  std::string stem;
};

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

void ExpectGolden(const Files& files) {
  for (const auto& [path, content] : files) {
    const std::filesystem::path golden = std::filesystem::path(EVERFOLD_TEST_GOLDEN_DIR) / (path + ".golden");
    if (std::getenv("EVERFOLD_UPDATE_GOLDEN") != nullptr) {
      std::filesystem::create_directories(golden.parent_path());
      std::ofstream(golden, std::ios::binary) << content;
    }
    EXPECT_EQ(content, ReadFile(golden)) << path;
  }
}

class GoldenTest : public testing::TestWithParam<Case> {};

TEST_P(GoldenTest, BothPassesWriteWhatIsCheckedIn) {
  const auto& [root, stem] = GetParam();
  const std::string api = stem + "_api.proto";
  const GeneratorRun services = RunGenerator(stem + ".proto", "pass=api", {}, root);
  ASSERT_EQ(services.error, "");
  ASSERT_THAT(services.files, testing::ElementsAre(testing::Key(api)));
  ExpectGolden(services.files);

  const GeneratorRun domain = RunGenerator(stem + ".proto", "pass=cpp", {}, root);
  ASSERT_EQ(domain.error, "");
  ASSERT_THAT(domain.files,
              testing::ElementsAre(testing::Key(stem + ".everfold.cc"), testing::Key(stem + ".everfold.h")));
  ExpectGolden(domain.files);

  const GeneratorRun rpc = RunGenerator(api, "pass=cpp", services.files, root);
  ASSERT_EQ(rpc.error, "");
  ASSERT_THAT(rpc.files, testing::ElementsAre(testing::Key(stem + "_api.everfold.cc")));
  ExpectGolden(rpc.files);
}

INSTANTIATE_TEST_SUITE_P(
    Domains, GoldenTest,
    testing::Values(Case{EVERFOLD_TEST_WALLET_DIR, "wallet/v1/wallet"}, Case{EVERFOLD_TEST_DOMAIN_DIR, "shop/v1/shop"},
                    Case{EVERFOLD_TEST_DOMAIN_DIR, "catalog/v1/catalog"}, Case{EVERFOLD_TEST_DOMAIN_DIR, "odd"},
                    Case{EVERFOLD_TEST_DOMAIN_DIR, "rules/v1/rules"},
                    Case{EVERFOLD_TEST_DOMAIN_DIR, "account/v1/account"},
                    Case{EVERFOLD_TEST_DOMAIN_DIR, "hall/v1/hall"}, Case{EVERFOLD_TEST_DOMAIN_DIR, "flow/v1/flow"}),
    [](const auto& info) { return info.param.stem.substr(info.param.stem.rfind('/') + 1); });

}  // namespace
}  // namespace everfold::codegen
