// SPDX-License-Identifier: GPL-3.0-or-later
//
// Conversations as files that other programs read and write, independent of SQLite.
//
// JSON Lines, ours, one object a line, UTF-8; `type` says what it is:
//     {"type":"bathyscope","version":1}
//     {"type":"conversation","id":…,"title":…,"system_prompt":…,"pinned":…,"created":…,"updated":…,"leaf":…,
//      "folder":"name"}
//     {"type":"message","id":…,"conversation":…,"parent":…,"role":"user|assistant|system",
//      "state":"complete|stopped|interrupted|failed","created":…,"text":…,"reasoning":…,"error":…,"model":…,
//      "sampling":{…},"summary":{…},"tokens":[{"id":…,"section":0|1|2,"bytes":…,"log_prob":…,"seconds":…,
//      "rest":…,"top":[[id,log_prob],…],"experts":[[expert,weight],…]},…]}
// Messages follow their conversation, parents before children. What is missing has its default. A text that
// is no UTF-8 is {"base64":…}; a number that JSON lacks is "nan", "inf" or "-inf".
#pragma once

#include "storage/history_types.h"

#include <string>
#include <string_view>
#include <vector>

namespace bathyscope::storage {

struct ExchangedMessage {
    StoredMessage message = {};
    std::vector<TokenRecord> tokens = {}; ///< of a reply; empty: its texts are all there is

    bool operator==(const ExchangedMessage &) const = default;
};

/// A conversation with all its branches, parents before children.
struct ExchangedConversation {
    Conversation info = {}; ///< info.folder is of no meaning, see `folder`
    std::string folder = {}; ///< name; empty: none
    std::vector<ExchangedMessage> messages = {};

    bool operator==(const ExchangedConversation &) const = default;
};

enum class ExportTraces : std::uint8_t { No, Yes };

/// The line that such a file begins with.
[[nodiscard]] std::string jsonLinesHead();
/// The lines of one conversation.
[[nodiscard]] std::string toJsonLines(const ExchangedConversation &conversation);

/// The current path as a document for reading.
[[nodiscard]] std::string toMarkdown(const ExchangedConversation &conversation);

struct ImportedFile {
    std::vector<ExchangedConversation> conversations = {};
    std::string notes = {}; ///< for people: what could not be taken over; empty when all was
};

/// Reads JSON Lines as above, ChatGPT's conversations.json, `.jsonl` with a message {"role","content"} a
/// line, and `.jsonl` with {"messages":[…]} a line; it finds out which. Ids that the format lacks are counted
/// from 1. Throws Error for anything else; safe with any bytes.
[[nodiscard]] ImportedFile readConversations(std::string_view bytes);

} // namespace bathyscope::storage
