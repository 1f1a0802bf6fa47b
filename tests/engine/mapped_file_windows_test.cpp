// SPDX-License-Identifier: GPL-3.0-or-later
//
// What Windows promises of a mapped file, and names that its old code pages cannot spell.
#include "engine/checkpoint/mapped_file.h"
#include "engine/error.h"
#include "tests/engine/temporary_directory.h"

#include <gtest/gtest.h>

#include <fstream>

namespace bathyscope {
namespace {

TEST(MappedFileOnWindows, cannotBeShortened)
{
    const TemporaryDirectory folder;
    const auto path = folder.path() / "file";
    std::ofstream(path, std::ios::binary) << std::string(100'000, '\1');
    {
        const MappedFile file(path);
        std::error_code error;
        std::filesystem::resize_file(path, 5000, error);
        EXPECT_TRUE(error);
        EXPECT_EQ(file.bytes().size(), 100'000U);
        EXPECT_EQ(file.bytes().back(), std::byte{1});
        EXPECT_NO_THROW(file.expectWhole());
    }
    EXPECT_NO_THROW(std::filesystem::resize_file(path, 5000)) << "the view is gone, and the file is free";
}

TEST(MappedFileOnWindows, isFoundByAnyName)
{
    const TemporaryDirectory folder;
    const auto path = folder.path() / fromUtf8("Tiefsee · 深海 · 🌊.bin");
    std::ofstream(path, std::ios::binary) << "line\n";
    const MappedFile file(path);
    EXPECT_EQ(file.bytes().size(), 5U) << "line ends are bytes as others";
    EXPECT_EQ(fromUtf8(toUtf8(path)), path);
}

TEST(MappedFileOnWindows, tellsWhatIsMissing)
{
    const TemporaryDirectory folder;
    EXPECT_THROW(MappedFile(folder.path() / "none"), Error);
    EXPECT_THROW(MappedFile(folder.path()), Error) << "a folder is no file";
}

} // namespace
} // namespace bathyscope
