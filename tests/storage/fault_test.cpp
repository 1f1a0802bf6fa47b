// SPDX-License-Identifier: GPL-3.0-or-later
//
// Lets each write, sync and open of the history fail once, and cuts each write short once, by a layer between
// SQLite and the system. Whoever tries again, as HistoryThread does, loses nothing.
#include "tests/storage/storage_test.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstring>

namespace bathyscope::storage::test {
namespace {

enum class Kind { Write, ShortWrite, Sync, Open };

/// Counts down over calls of its kind and fails the one at zero.
struct Fault {
    Kind kind = Kind::Write;
    int after = -1; ///< negative: none
    bool happened = false;

    bool strikes(Kind call)
    {
        if (call != kind || after < 0 || after-- > 0)
            return false;
        happened = true;
        return true;
    }
};

Fault &fault()
{
    static Fault the;
    return the;
}

sqlite3_vfs *realVfs()
{
    static sqlite3_vfs *the = sqlite3_vfs_find("unix");
    return the;
}

/// The real file lies behind it in the memory that SQLite gives.
struct File {
    sqlite3_file base;
    sqlite3_file *real() { return reinterpret_cast<sqlite3_file *>(this + 1); }
};

sqlite3_file *realOf(sqlite3_file *file)
{
    return reinterpret_cast<File *>(file)->real();
}

int writeFile(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
    sqlite3_file *real = realOf(file);
    if (fault().strikes(Kind::ShortWrite)) {
        (void)real->pMethods->xWrite(real, data, size / 2, offset);
        return SQLITE_FULL;
    }
    if (fault().strikes(Kind::Write))
        return SQLITE_IOERR_WRITE;
    return real->pMethods->xWrite(real, data, size, offset);
}

int syncFile(sqlite3_file *, int)
{
    // No waiting for the disk: nobody cuts the power here.
    return fault().strikes(Kind::Sync) ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

const sqlite3_io_methods &methods()
{
    // Version 1 has no shared memory, and a connection that locks exclusively needs none.
    static const sqlite3_io_methods the = [] {
        sqlite3_io_methods all{};
        all.iVersion = 1;
        all.xClose = [](sqlite3_file *f) { return realOf(f)->pMethods->xClose(realOf(f)); };
        all.xRead = [](sqlite3_file *f, void *to, int size, sqlite3_int64 offset) {
            return realOf(f)->pMethods->xRead(realOf(f), to, size, offset);
        };
        all.xWrite = writeFile;
        all.xTruncate = [](sqlite3_file *f, sqlite3_int64 size) {
            return realOf(f)->pMethods->xTruncate(realOf(f), size);
        };
        all.xSync = syncFile;
        all.xFileSize = [](sqlite3_file *f, sqlite3_int64 *size) {
            return realOf(f)->pMethods->xFileSize(realOf(f), size);
        };
        all.xLock = [](sqlite3_file *f, int level) { return realOf(f)->pMethods->xLock(realOf(f), level); };
        all.xUnlock = [](sqlite3_file *f, int level) {
            return realOf(f)->pMethods->xUnlock(realOf(f), level);
        };
        all.xCheckReservedLock = [](sqlite3_file *f, int *out) {
            return realOf(f)->pMethods->xCheckReservedLock(realOf(f), out);
        };
        all.xFileControl = [](sqlite3_file *f, int op, void *argument) {
            return realOf(f)->pMethods->xFileControl(realOf(f), op, argument);
        };
        all.xSectorSize = [](sqlite3_file *f) { return realOf(f)->pMethods->xSectorSize(realOf(f)); };
        all.xDeviceCharacteristics = [](sqlite3_file *f) {
            return realOf(f)->pMethods->xDeviceCharacteristics(realOf(f));
        };
        return all;
    }();
    return the;
}

int openFile(sqlite3_vfs *, const char *name, sqlite3_file *file, int flags, int *outFlags)
{
    std::memset(file, 0, sizeof(File));
    if (fault().strikes(Kind::Open))
        return SQLITE_CANTOPEN;
    const int code = realVfs()->xOpen(realVfs(), name, realOf(file), flags, outFlags);
    if (code == SQLITE_OK)
        file->pMethods = &methods();
    return code;
}

/// All connections use the layer while it lives.
class FaultyVfs {
public:
    FaultyVfs()
        : m_vfs(*realVfs())
    {
        m_vfs.zName = "faulty";
        m_vfs.szOsFile = static_cast<int>(sizeof(File)) + realVfs()->szOsFile;
        m_vfs.xOpen = openFile;
        sqlite3_vfs_register(&m_vfs, 1);
    }
    ~FaultyVfs() { sqlite3_vfs_unregister(&m_vfs); }
    FaultyVfs(const FaultyVfs &) = delete;
    FaultyVfs &operator=(const FaultyVfs &) = delete;

private:
    sqlite3_vfs m_vfs;
};

/// Tries again what the medium refuses.
template <typename Work>
void stubbornly(Work &&work)
{
    for (int attempt = 0; attempt < 3; ++attempt) {
        try {
            work();
            return;
        } catch (const MediumError &) {
            continue;
        }
    }
    ADD_FAILURE() << "refused three times for one fault";
}

void useHistory(const std::filesystem::path &folder)
{
    std::unique_ptr<History> opened;
    stubbornly([&] { opened = std::make_unique<History>(folder); });
    ASSERT_TRUE(opened);
    History &history = *opened;
    stubbornly([&] { history.create({.id = 1, .title = "Ships"}); });
    stubbornly([&] { history.create({.id = 2, .title = "gone"}); });
    stubbornly([&] { history.addMessage({.id = 3, .conversation = 1, .text = "How deep?"}); });
    stubbornly([&] {
        history.beginReply(
            {.id = 4, .conversation = 1, .parent = 3, .role = Role::Assistant, .model = "f00d"});
    });
    for (int i = 0; i < 3; ++i)
        stubbornly([&] { history.appendTokens(4, {100, plainToken("deep ")}); });
    stubbornly([&] { history.finishReply(4, MessageState::Complete, {}); });
    stubbornly([&] { history.addMessage({.id = 5, .conversation = 1, .text = "How far?"}); });
    stubbornly([&] { (void)history.selectBranch(3); });
    stubbornly([&] { history.remove(2); });
    stubbornly([&] { (void)history.backUpDaily(); });
}

void expectAll(const std::filesystem::path &folder)
{
    {
        History history(folder);
        EXPECT_FALSE(history.recovery());
        EXPECT_EQ(history.conversations().size(), 1U);
        const LoadedConversation loaded = history.load(1);
        ASSERT_EQ(loaded.path.size(), 2U);
        EXPECT_EQ(loaded.path[0].siblings, (std::vector<MessageId>{3, 5}));
        EXPECT_EQ(loaded.path[1].message.text.size(), 300U * 5);
        EXPECT_EQ(loaded.path[1].tokens.size(), 300U);
        EXPECT_EQ(loaded.path[1].traced, 300U);
        EXPECT_TRUE(history.backups().back().daily);
        for (const Backup &backup : history.backups())
            EXPECT_EQ(runSql(backup.file, "PRAGMA integrity_check"), "ok");
    }
    EXPECT_EQ(runSql(folder / "history.db", "PRAGMA integrity_check"), "ok");
    EXPECT_EQ(runSql(folder / "traces.db", "PRAGMA integrity_check"), "ok");
}

class Faults : public testing::TestWithParam<Kind> { };

TEST_P(Faults, onceEachLoseNothing)
{
    int faults = 0;
    for (bool more = true; more; ++faults) {
        const TempFolder folder;
        fault() = {.kind = GetParam(), .after = faults, .happened = false};
        {
            const FaultyVfs vfs;
            useHistory(folder.path());
        }
        more = fault().happened;
        fault() = {};
        expectAll(folder.path());
        ASSERT_FALSE(HasFailure()) << "fault " << faults;
    }
    EXPECT_GT(faults, GetParam() == Kind::Open ? 5 : 20);
}

INSTANTIATE_TEST_SUITE_P(Every, Faults,
                         testing::Values(Kind::Write, Kind::ShortWrite, Kind::Sync, Kind::Open));

} // namespace
} // namespace bathyscope::storage::test
