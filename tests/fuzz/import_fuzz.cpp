// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/fuzz/fuzz.h"

#include "engine/error.h"
#include "storage/exchange.h"
#include "storage/history.h"
#include "storage/id_source.h"

using namespace bathyscope;
using namespace bathyscope::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    try {
        const storage::ImportedFile file = storage::readConversations(asText(data, size));
        static const std::unique_ptr<storage::History> history = storage::History::inMemory();
        static storage::IdSource ids;
        for (const storage::ExchangedConversation &conversation : file.conversations) {
            (void)storage::toMarkdown(conversation);
            const storage::ConversationId id = history->importConversation(conversation, ids);
            const std::string lines =
                storage::toJsonLines(history->exportConversation(id, storage::ExportTraces::Yes));
            const storage::ImportedFile again = storage::readConversations(storage::jsonLinesHead() + lines);
            expect(storage::toJsonLines(again.conversations.front()) == lines,
                   "what was exported comes back");
            (void)history->load(id);
            history->remove(id);
        }
    } catch (const Error &) {
    }
    return 0;
}
