// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/layout/layout_rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <set>

using namespace bathyscope::layout;

namespace {

using Strings = std::vector<std::string>;

std::string joined(const Strings &lines)
{
    std::string text;
    for (const std::string &line : lines)
        text += "\n  " + line;
    return text;
}

std::string source(const std::string &body)
{
    return "// SPDX-License-Identifier: GPL-3.0-or-later\n" + body;
}

/// The one objection that a file with this include line meets, or nothing.
std::string objectionTo(const std::string &path, const std::string &header)
{
    const Strings found = checkSource(path, source("#include " + header + "\n"));
    EXPECT_LE(found.size(), 1U) << joined(found);
    return found.empty() ? std::string() : found[0];
}

/// The top level as git tracks it: what a developer has lying about untracked is their own affair.
Strings trackedTopLevel()
{
    const std::string command = "git -C \"" BATHYSCOPE_SOURCE_DIR "\" ls-files 2>/dev/null";
    const std::unique_ptr<FILE, int (*)(FILE *)> pipe(popen(command.c_str(), "r"), pclose);
    std::set<std::string> names;
    std::array<char, 4096> line;
    while (pipe && fgets(line.data(), line.size(), pipe.get())) {
        const std::string path(line.data());
        names.insert(path.substr(0, path.find_first_of("/\n")));
    }
    return {names.begin(), names.end()};
}

TEST(Layout, RepositoryFollowsTheRules)
{
    const Strings found = checkTree(BATHYSCOPE_SOURCE_DIR);
    EXPECT_TRUE(found.empty()) << joined(found);
}

TEST(Layout, TopLevelIsAsAgreed)
{
    const Strings names = trackedTopLevel();
    if (names.empty())
        GTEST_SKIP() << "not a git checkout";
    const Strings found = checkTopLevel(names);
    EXPECT_TRUE(found.empty()) << joined(found);
}

TEST(Layout, StrangersAtTheTopLevelAreFound)
{
    EXPECT_TRUE(
        checkTopLevel({"app", "README.md", ".ci", "build", "build-asan", "CMakePresets.json"}).empty());
    EXPECT_EQ(checkTopLevel({"app", "scripts", "ui", "notes.md"}).size(), 2U);
}

TEST(Layout, ForbiddenIncludesAreFound)
{
    EXPECT_NE(objectionTo("engine/a.cpp", "<QString>"), "");
    EXPECT_NE(objectionTo("engine/text/a.cpp", "<sqlite3.h>"), "");
    EXPECT_NE(objectionTo("engine/a.cpp", "\"ui/theme/theme.h\""), "");
    EXPECT_NE(objectionTo("kernels/cpu/a.h", "\"engine/records.h\""), "");
    EXPECT_NE(objectionTo("kernels/a.h", "<fmt/format.h>"), "");
    EXPECT_NE(objectionTo("storage/a.cpp", "<QtCore/qstring.h>"), "");
    EXPECT_NE(objectionTo("storage/a.cpp", "\"engine/session/backend.h\""), "");
    EXPECT_NE(objectionTo("ui/chat/a.cpp", "<sqlite3.h>"), "");
    EXPECT_NE(objectionTo("ui/chat/a.cpp", "\"engine/error.h\""), "");
    EXPECT_NE(objectionTo("ui/chat/a.cpp", "\"kernels/params.h\""), "");
    EXPECT_NE(objectionTo("app/main.cpp", "<sqlite3.h>"), "");
    EXPECT_NE(objectionTo("engine/a.cpp", "<boost/json.hpp>"), "");
    EXPECT_NE(objectionTo("engine/a.cpp", "\"neighbour.h\""), "");
}

TEST(Layout, AllowedIncludesPass)
{
    EXPECT_EQ(objectionTo("kernels/cpu/a.cpp", "<hwy/highway.h>"), "");
    EXPECT_EQ(objectionTo("engine/a.cpp", "<nlohmann/json.hpp>"), "");
    EXPECT_EQ(objectionTo("engine/a.cpp", "<sys/mman.h>"), "");
    EXPECT_EQ(objectionTo("storage/a.cpp", "\"engine/records.h\""), "");
    EXPECT_EQ(objectionTo("ui/a.cpp", "\"engine/records.h\""), "");
    EXPECT_EQ(objectionTo("ui/a.cpp", "<QtCharts/QChart>"), "");
    EXPECT_EQ(objectionTo("app/main.cpp", "\"engine/session/backend.h\""), "");
    EXPECT_EQ(objectionTo("tests/ui/test.cpp", "\"test.moc\""), "");
}

TEST(Layout, OddlyWrittenIncludesAreRead)
{
    EXPECT_EQ(checkSource("engine/a.cpp", source("  #  include\t<QString>\r\n")).size(), 1U);
    EXPECT_TRUE(
        checkSource("engine/a.cpp", source("// #include <QString>\n#include HWY_TARGET_INCLUDE\n")).empty());
}

TEST(Layout, MissingLicenceLineIsFound)
{
    EXPECT_EQ(checkSource("engine/a.cpp", "#include <vector>\n").size(), 1U);
    EXPECT_EQ(checkSource("engine/a.cpp", "").size(), 1U);
}

TEST(Layout, FilesOfTooManyLinesAreFound)
{
    std::string body;
    for (int i = 1; i < maxFileLines; ++i)
        body += "\n";
    EXPECT_TRUE(checkSource("engine/a.cpp", source(body)).empty());
    EXPECT_EQ(checkSource("engine/a.cpp", source(body + "\n")).size(), 1U);
}

TEST(Layout, ViolationPlantedInATreeIsFound)
{
    const std::filesystem::path root = std::filesystem::path(testing::TempDir()) / "bathyscope_layout_test";
    std::filesystem::remove_all(root);
    std::filesystem::create_directories(root / "engine" / "deep");
    std::ofstream(root / "engine" / "good.h") << source("#include <vector>\n");
    std::ofstream(root / "engine" / "notes.txt") << "#include <QString>\n";
    EXPECT_TRUE(checkTree(root).empty());

    std::ofstream(root / "engine" / "deep" / "bad.cpp") << source("#include <vector>\n#include <QString>\n");
    const Strings found = checkTree(root);
    std::filesystem::remove_all(root);
    ASSERT_EQ(found.size(), 1U) << joined(found);
    EXPECT_EQ(found[0], "engine/deep/bad.cpp:3: engine may not include \"QString\" (Qt)");
}

} // namespace
