// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the tests of the history share.
#pragma once

#include "storage/history.h"
#include "storage/id_source.h"

#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace bathyscope::storage::test {

/// A fresh folder that is removed at the end.
class TempFolder {
public:
    TempFolder();
    ~TempFolder();
    TempFolder(const TempFolder &) = delete;
    TempFolder &operator=(const TempFolder &) = delete;

    [[nodiscard]] const std::filesystem::path &path() const { return m_path; }
    [[nodiscard]] std::filesystem::path database() const { return m_path / "history.db"; }
    [[nodiscard]] std::filesystem::path traces() const { return m_path / "traces.db"; }

private:
    std::filesystem::path m_path;
};

/// Runs SQL through a connection of its own and returns the first column of the first row as text. The
/// history must be closed.
std::string runSql(const std::filesystem::path &file, const std::string &sql);

/// A log-probability or weight as the file of traces rounds it.
float asStored(float value);

/// A record without what the file of traces holds.
TokenRecord wordsOf(const TokenRecord &token);

/// Any record that a program can hold: bytes that are no UTF-8, infinities, none or many candidates. It is
/// rounded as stored traces are.
TokenRecord randomToken(std::mt19937 &random);

/// A record as the built-in model makes it.
TokenRecord plainToken(const std::string &bytes, Section section = Section::Answer);

std::vector<TokenRecord> randomTokens(std::mt19937 &random, std::size_t count);

/// The joined bytes of a section.
std::string joined(const std::vector<TokenRecord> &tokens, Section section);

/// A history in a folder of its own with one conversation that holds one question.
class OneConversation {
public:
    OneConversation();

    /// Begins a reply to the question.
    MessageId beginReply();
    /// The last message of the current path.
    [[nodiscard]] LoadedMessage lastMessage();
    void reopen();
    void close() { m_history.reset(); }
    [[nodiscard]] History &history() { return *m_history; }

    TempFolder folder;
    IdSource ids;
    ConversationId conversation = 0;
    MessageId question = 0;

private:
    std::unique_ptr<History> m_history;
};

} // namespace bathyscope::storage::test
