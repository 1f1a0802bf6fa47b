// SPDX-License-Identifier: GPL-3.0-or-later
//
// Export and import: our own format without loss, and those of other programs.
#include "storage/base64.h"
#include "storage/exchange.h"
#include "tests/storage/storage_test.h"

#include <gtest/gtest.h>

namespace bathyscope::storage::test {
namespace {

std::string randomText(std::mt19937 &random)
{
    std::string text;
    for (std::size_t i = random() % 40; i > 0; --i)
        text += random() % 3 == 0 ? static_cast<char>(random()) : static_cast<char>('a' + random() % 26);
    return text;
}

/// A tree of up to 40 messages with replies of any kind.
ConversationId makeConversation(History &history, IdSource &ids, std::mt19937 &random)
{
    const ConversationId conversation = ids.next();
    const FolderId folder = ids.next();
    history.createFolder({.id = folder, .name = randomText(random) + "x" + std::to_string(folder)});
    history.create({.id = conversation,
                    .title = randomText(random),
                    .systemPrompt = randomText(random),
                    .pinned = random() % 2 == 0,
                    .folder = random() % 2 == 0 ? std::optional(folder) : std::nullopt});
    std::vector<MessageId> all;
    for (std::size_t i = random() % 40; i > 0; --i) {
        StoredMessage message{.id = ids.next(), .conversation = conversation};
        if (!all.empty() && random() % 8 != 0)
            message.parent = all[random() % all.size()];
        message.text = randomText(random);
        all.push_back(message.id);
        if (random() % 2 == 0) {
            message.state = random() % 2 == 0 ? MessageState::Failed : MessageState::Complete;
            message.error = randomText(random);
            message.reasoning = randomText(random);
            history.addMessage(message);
            continue;
        }
        message.role = Role::Assistant;
        message.model = "f00d";
        message.sampling = SamplingParameters{.temperature = 0.3F, .seed = 0xFFFF'FFFF'FFFF'FFFFULL};
        history.beginReply(message);
        history.appendTokens(message.id, randomTokens(random, random() % 300));
        history.finishReply(message.id, MessageState::Stopped, {.error = {}, .prefillSeconds = 1.0 / 3.0});
    }
    if (!all.empty())
        (void)history.selectBranch(all[random() % all.size()]);
    return conversation;
}

ExchangedConversation reread(const ExchangedConversation &conversation)
{
    ImportedFile file = readConversations(jsonLinesHead() + toJsonLines(conversation));
    EXPECT_EQ(file.notes, "");
    EXPECT_EQ(file.conversations.size(), 1U);
    return std::move(file.conversations.front());
}

TEST(JsonLines, roundTripIsLossless)
{
    std::mt19937 random(1);
    for (int round = 0; round < 12; ++round) {
        OneConversation from;
        OneConversation to;
        ConversationId id = 0;
        from.history().transaction([&] { id = makeConversation(from.history(), from.ids, random); });
        const ExchangedConversation exported = from.history().exportConversation(id, ExportTraces::Yes);
        ASSERT_EQ(reread(exported), exported);
        EXPECT_EQ(to.history().importConversation(reread(exported), to.ids), id);
        EXPECT_EQ(to.history().exportConversation(id, ExportTraces::Yes), exported);
        const LoadedConversation before = from.history().load(id);
        to.reopen();
        const LoadedConversation after = to.history().load(id);
        ASSERT_EQ(after.path.size(), before.path.size());
        for (std::size_t i = 0; i < before.path.size(); ++i) {
            EXPECT_EQ(after.path[i].message, before.path[i].message);
            EXPECT_EQ(after.path[i].tokens, before.path[i].tokens);
            EXPECT_EQ(after.path[i].siblings, before.path[i].siblings);
        }
        EXPECT_TRUE(to.history().checkIntegrity().empty());
    }
}

TEST(JsonLines, withoutTracesKeepAllTexts)
{
    std::mt19937 random(2);
    OneConversation one;
    const ConversationId id = makeConversation(one.history(), one.ids, random);
    ExchangedConversation expected = one.history().exportConversation(id, ExportTraces::Yes);
    for (ExchangedMessage &message : expected.messages)
        message.tokens.clear();
    EXPECT_EQ(reread(one.history().exportConversation(id, ExportTraces::No)), expected);
}

TEST(JsonLines, importedTwiceAreTwoConversations)
{
    std::mt19937 random(3);
    OneConversation one;
    const ConversationId id = makeConversation(one.history(), one.ids, random);
    const ExchangedConversation exported = one.history().exportConversation(id, ExportTraces::Yes);
    const ConversationId copy = one.history().importConversation(exported, one.ids);
    EXPECT_NE(copy, id);
    const ExchangedConversation again = one.history().exportConversation(copy, ExportTraces::Yes);
    ASSERT_EQ(again.messages.size(), exported.messages.size());
    for (std::size_t i = 0; i < again.messages.size(); ++i) {
        EXPECT_EQ(again.messages[i].tokens, exported.messages[i].tokens);
        EXPECT_EQ(again.messages[i].message.text, exported.messages[i].message.text);
    }
    EXPECT_EQ(again.folder, exported.folder);
}

TEST(JsonLines, ofAReplyBeingWrittenAreThoseOfAnInterruptedOne)
{
    OneConversation one;
    const MessageId reply = one.beginReply();
    one.history().appendTokens(reply, {plainToken("half")});
    const ExchangedConversation exported =
        reread(one.history().exportConversation(one.conversation, ExportTraces::Yes));
    EXPECT_EQ(exported.messages.back().message.state, MessageState::Interrupted);
    EXPECT_EQ(exported.messages.back().message.text, "half");
}

TEST(JsonLines, thatAreBrokenAreRefusedWithTheirLine)
{
    const std::string head = jsonLinesHead();
    for (const std::string &lines :
         {std::string("{"), std::string("[1]x"),
          std::string("{\"type\":\"message\",\"id\":1,\"conversation\":1}"),
          std::string("{\"type\":\"conversation\"}"), std::string("{\"type\":\"conversation\",\"id\":\"x\"}"),
          std::string("{\"type\":\"conversation\",\"id\":1e300}"),
          std::string("{\"type\":\"conversation\",\"id\":1,\"title\":{\"base64\":\"!\"}}"),
          std::string(100'000, '[')}) {
        try {
            (void)readConversations(head + lines);
            ADD_FAILURE() << lines.substr(0, 80);
        } catch (const Error &error) {
            EXPECT_NE(std::string(error.what()).find("line 2"), std::string::npos) << error.what();
        }
    }
    EXPECT_THROW((void)readConversations("{\"type\":\"bathyscope\",\"version\":2}"), Error);
    EXPECT_THROW((void)readConversations(""), Error);
    EXPECT_THROW((void)readConversations("Dear diary"), Error);
    EXPECT_THROW((void)readConversations(std::string(1'000'000, '[')), Error);
}

TEST(JsonLines, withParentsThatAreNotThereAreRefusedAsAWhole)
{
    OneConversation one;
    ExchangedConversation forged;
    forged.info.id = 5;
    forged.messages.resize(2);
    forged.messages[0].message = {.id = 9, .conversation = 5};
    forged.messages[1].message = {.id = 10, .conversation = 5, .parent = 77};
    EXPECT_THROW((void)one.history().importConversation(forged, one.ids), Error);
    forged.messages[1].message.parent = 9;
    forged.messages[1].message.id = 9;
    EXPECT_NO_THROW((void)one.history().importConversation(forged, one.ids))
        << "an id used twice is given anew";
    EXPECT_EQ(one.history().conversations().size(), 2U);
}

TEST(ChatGpt, exportIsImportedWithItsBranches)
{
    const ImportedFile file = readConversations(R"json([
{"title": "Depth", "create_time": 1700000000.5, "update_time": 1700000100.0, "current_node": "e", "mapping": {
 "root": {"id": "root", "message": null, "parent": null, "children": ["sys"]},
 "sys": {"id": "sys", "message": {"author": {"role": "system"}, "content": {"content_type": "text", "parts": [""]}},
         "parent": "root", "children": ["a"]},
 "a": {"id": "a", "message": {"author": {"role": "user"}, "create_time": 1700000001.0,
       "content": {"content_type": "multimodal_text", "parts": ["How deep?", {"content_type": "image_asset_pointer"}]}},
       "parent": "sys", "children": ["b", "c"]},
 "b": {"id": "b", "message": {"author": {"role": "assistant"}, "content": {"content_type": "text", "parts": ["First."]}},
       "parent": "a", "children": []},
 "c": {"id": "c", "message": {"author": {"role": "assistant"}, "content": {"content_type": "thoughts",
       "thoughts": [{"summary": "s", "content": "Let me think."}]}}, "parent": "a", "children": ["d"]},
 "d": {"id": "d", "message": {"author": {"role": "assistant"}, "content": {"content_type": "code", "text": "print(1)"}},
       "parent": "c", "children": ["e"]},
 "e": {"id": "e", "message": {"author": {"role": "assistant"}, "content": {"content_type": "text", "parts": ["Second."]}},
       "parent": "d", "children": []}
}}])json");
    ASSERT_EQ(file.conversations.size(), 1U);
    OneConversation one;
    const LoadedConversation loaded =
        one.history().load(one.history().importConversation(file.conversations[0], one.ids));
    EXPECT_EQ(loaded.info.title, "Depth");
    EXPECT_EQ(loaded.info.created, 1'700'000'000'500);
    EXPECT_EQ(loaded.info.messages, 3);
    ASSERT_EQ(loaded.path.size(), 2U);
    EXPECT_EQ(loaded.path[0].message.text, "How deep?\n\n[image_asset_pointer]");
    EXPECT_EQ(loaded.path[0].message.created, 1'700'000'001'000);
    EXPECT_EQ(loaded.path[1].message.reasoning, "Let me think.");
    EXPECT_EQ(loaded.path[1].message.text, "```\nprint(1)\n```\n\nSecond.");
    EXPECT_EQ(loaded.path[1].siblings.size(), 2U);
}

TEST(ChatGpt, circlesAndForeignThingsDoNoHarm)
{
    const ImportedFile file = readConversations(R"json([1, {"title": "x"}, {"mapping": {
 "a": {"parent": null, "children": ["b", 5], "message": 7},
 "b": {"parent": "a", "children": ["a", "b", "none"],
       "message": {"author": {"role": "user"}, "content": {"parts": ["hi"]}}},
 "c": "no node"}}])json");
    ASSERT_EQ(file.conversations.size(), 1U);
    EXPECT_EQ(file.conversations[0].messages.size(), 1U);
    EXPECT_NE(file.notes, "");
    EXPECT_THROW((void)readConversations(R"([{"mapping": 5}])"), Error);
}

TEST(PlainMessages, areImportedLineByLineAndAsLists)
{
    ImportedFile file =
        readConversations("{\"role\":\"system\",\"content\":\"Be brief.\"}\r\n\n"
                          "{\"role\":\"user\",\"content\":\"How deep?\\nReally?\"}\n"
                          "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"923 m\"}]}");
    ASSERT_EQ(file.conversations.size(), 1U);
    EXPECT_EQ(file.conversations[0].info.title, "How deep?");
    EXPECT_EQ(file.conversations[0].info.systemPrompt, "Be brief.");
    ASSERT_EQ(file.conversations[0].messages.size(), 2U);
    EXPECT_EQ(file.conversations[0].messages[1].message.text, "923 m");
    EXPECT_EQ(file.conversations[0].messages[1].message.role, Role::Assistant);
    file = readConversations("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}\n{\"messages\":[]}\n");
    EXPECT_EQ(file.conversations.size(), 2U);
    EXPECT_THROW((void)readConversations("{\"role\":\"user\"}"), Error);
}

TEST(Markdown, showsTheCurrentPath)
{
    OneConversation one;
    one.history().addMessage({.id = one.ids.next(),
                              .conversation = one.conversation,
                              .parent = one.question,
                              .role = Role::Assistant,
                              .text = "923 m",
                              .reasoning = "Otis\nBarton"});
    EXPECT_EQ(
        toMarkdown(one.history().exportConversation(one.conversation, ExportTraces::No)),
        "# Ships\n\n## Question\n\nHow deep did they dive?\n\n## Answer\n\n> Otis\n> Barton\n\n923 m\n");
}

TEST(Base64, isThatOfRfc4648)
{
    EXPECT_EQ(toBase64(""), "");
    EXPECT_EQ(toBase64("f"), "Zg==");
    EXPECT_EQ(toBase64("foobar"), "Zm9vYmFy");
    std::mt19937 random(4);
    for (int i = 0; i < 1000; ++i) {
        std::string bytes;
        for (std::size_t k = random() % 20; k > 0; --k)
            bytes += static_cast<char>(random());
        EXPECT_EQ(fromBase64(toBase64(bytes)), bytes);
    }
    for (const char *wrong : {"Zg=", "Z", "Z===", "Zm9!", "Zg==Zg=="})
        EXPECT_THROW((void)fromBase64(wrong), Error) << wrong;
}

TEST(Utf8, isToldFromOtherBytes)
{
    for (const char *good : {"", "a", "ü", "日本", "🐟", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"})
        EXPECT_TRUE(isUtf8(good)) << good;
    for (const char *bad :
         {"\x80", "\xC1\x80", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF0\x9F", "\xFF"})
        EXPECT_FALSE(isUtf8(bad));
}

} // namespace
} // namespace bathyscope::storage::test
