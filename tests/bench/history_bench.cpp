// SPDX-License-Identifier: GPL-3.0-or-later
//
// Times what a person waits for: opening a conversation of 100,000 tokens, listing 10,000 conversations,
// searching 100,000 messages. And what the storage thread has to bear: a batch of tokens.
#include "storage/history.h"
#include "storage/id_source.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include <unistd.h>

namespace {

using namespace bathyscope;
using namespace bathyscope::storage;

constexpr int kReplies = 20;
constexpr int kTokensPerReply = 5'000;
constexpr int kConversations = 10'000;
constexpr int kMessagesPerConversation = 10;
constexpr double kSearchLimit = 20; // ms

template <typename Work>
double milliseconds(Work &&work)
{
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

/// The middle of nine, and of the searches the limit that it must stay below.
template <typename Work>
void print(const char *what, Work &&work, double limit = 0)
{
    std::array<double, 9> all{};
    for (double &one : all)
        one = milliseconds(work);
    std::sort(all.begin(), all.end());
    std::printf("%-52s %9.2f ms", what, all[all.size() / 2]);
    if (limit > 0)
        std::printf("   (limit %.0f ms)", limit);
    std::printf("\n");
}

/// As the built-in model makes it: 20 candidates, 4 MoE layers with 4 experts each.
TokenRecord tracedToken(int index)
{
    TokenRecord token;
    token.id = index % 4096;
    token.bytes = " word" + std::to_string(index % 997);
    token.logProb = -0.1F;
    for (int i = 0; i < 20; ++i)
        token.top.push_back({(index + i * 37) % 4096, -0.5F * static_cast<float>(i)});
    for (int i = 0; i < 16; ++i)
        token.experts.push_back({static_cast<std::uint16_t>(i), 0.25F});
    return token;
}

ConversationId makeLongConversation(History &history, IdSource &ids)
{
    const ConversationId conversation = ids.next();
    history.create({.id = conversation, .title = "long"});
    std::optional<MessageId> parent;
    for (int reply = 0; reply < kReplies; ++reply) {
        const MessageId id = ids.next();
        history.beginReply(
            {.id = id, .conversation = conversation, .parent = parent, .role = Role::Assistant});
        std::vector<TokenRecord> tokens;
        for (int i = 0; i < kTokensPerReply; ++i)
            tokens.push_back(tracedToken(i));
        history.appendTokens(id, tokens);
        history.finishReply(id, MessageState::Complete, {});
        parent = id;
    }
    return conversation;
}

void makeManyConversations(History &history, IdSource &ids)
{
    for (int i = 0; i < kConversations; ++i) {
        const ConversationId conversation = ids.next();
        history.create({.id = conversation, .title = "Conversation " + std::to_string(i), .created = i + 1});
        std::optional<MessageId> parent;
        for (int k = 0; k < kMessagesPerConversation; ++k) {
            const MessageId id = ids.next();
            const int n = i * kMessagesPerConversation + k;
            history.addMessage({.id = id,
                                .conversation = conversation,
                                .parent = parent,
                                .text = "Some words about depth " + std::to_string(n % 500) + " and pressure "
                                    + std::to_string(n)});
            parent = id;
        }
    }
}

void measureAppending(History &history, IdSource &ids)
{
    const ConversationId conversation = ids.next();
    const MessageId reply = ids.next();
    history.create({.id = conversation, .title = "streaming"});
    history.beginReply({.id = reply, .conversation = conversation, .role = Role::Assistant});
    std::vector<TokenRecord> batch;
    for (int i = 0; i < 150; ++i)
        batch.push_back(tracedToken(i));
    print("append 150 tokens (100 ms of 1,500 tokens/s)", [&] { history.appendTokens(reply, batch); });
}

} // namespace

int main()
{
    std::string folder = (std::filesystem::temp_directory_path() / "bathyscope-bench-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr)
        return 1;
    {
        History history(folder);
        IdSource ids;
        ConversationId conversation = 0;
        history.transaction([&] {
            conversation = makeLongConversation(history, ids);
            makeManyConversations(history, ids);
        });
        std::size_t kept = 0;
        print("open a conversation of 100,000 tokens",
              [&] { kept += history.load(conversation).path.size(); });
        print("list 10,000 conversations of 10 messages", [&] { kept += history.conversations().size(); });
        print(
            "search 100,000 messages, a common beginning",
            [&] { kept += history.search({.text = "pre"}).size(); }, kSearchLimit);
        print(
            "search 100,000 messages, two words",
            [&] { kept += history.search({.text = "depth 77 press"}).size(); }, kSearchLimit);
        print(
            "the same in reasoning, too",
            [&] { kept += history.search({.text = "depth 77 press", .reasoning = true}).size(); },
            kSearchLimit);
        measureAppending(history, ids);
        if (kept == 0)
            std::puts("nothing was found");
    }
    std::printf("%-52s %9.2f MB\n", "file",
                static_cast<double>(std::filesystem::file_size(std::filesystem::path(folder) / "history.db"))
                    / 1e6);
    std::filesystem::remove_all(folder);
    return 0;
}
