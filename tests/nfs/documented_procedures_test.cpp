// docs/NFS.md names exactly the procedures of the tables.
#include <gtest/gtest.h>

#include <fstream>
#include <regex>

#include "nfs/procedure.hpp"

namespace turbine::test {
namespace {

TEST(NfsDocument, NamesEveryProcedureAndNoOther) {
  std::ifstream in(TURBINE_NFS_DOCUMENT);
  ASSERT_TRUE(in) << TURBINE_NFS_DOCUMENT;
  const std::regex row(R"(\| (nfs|mount|portmap|nlm|nsm) (\d+) \| ([A-Z_]+) \|.*)");
  std::set<std::string> documented, served;
  for (std::string line; std::getline(in, line);) {
    std::smatch match;
    if (std::regex_match(line, match, row)) {
      documented.insert(match.str(1) + " " + match.str(2) + " " + match.str(3));
    }
  }
  for (const nfs::Program* program :
       {&nfs::nfs3_program(), &nfs::mount3_program(), &nfs::portmap2_program(),
        &nfs::nlm4_program(), &nfs::nsm1_program()}) {
    for (const nfs::Procedure& procedure : program->procedures) {
      served.insert(fmt::format("{} {} {}", program->name, procedure.number, procedure.name));
    }
  }
  EXPECT_EQ(documented, served);
  EXPECT_EQ(nfs::nfs3_program().procedures.size(), 22U);
}

}  // namespace
}  // namespace turbine::test
