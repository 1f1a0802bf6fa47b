// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/storage/storage_test.h"

#include "storage/half.h"

#include <sqlite3.h>

#include <array>
#include <limits>
#include <stdexcept>

#include <unistd.h>

namespace bathyscope::storage::test {

TempFolder::TempFolder()
{
    std::string name = (std::filesystem::temp_directory_path() / "bathyscope-storage-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr)
        throw std::runtime_error("no temporary folder");
    m_path = name;
}

TempFolder::~TempFolder()
{
    std::error_code error;
    std::filesystem::permissions(m_path, std::filesystem::perms::owner_all, error);
    std::filesystem::remove_all(m_path, error);
}

std::string runSql(const std::filesystem::path &file, const std::string &sql)
{
    sqlite3 *connection = nullptr;
    std::string first;
    const auto keepFirst = [](void *result, int columns, char **values, char **) {
        auto &text = *static_cast<std::string *>(result);
        if (text.empty() && columns > 0 && values[0] != nullptr)
            text = values[0];
        return 0;
    };
    sqlite3_open(file.c_str(), &connection);
    const int code = sqlite3_exec(connection, sql.c_str(), keepFirst, &first, nullptr);
    const std::string message = sqlite3_errmsg(connection);
    sqlite3_close(connection);
    if (code != SQLITE_OK)
        throw std::runtime_error(message);
    return first;
}

float asStored(float value)
{
    return fromHalf(toHalf(value));
}

TokenRecord wordsOf(const TokenRecord &token)
{
    TokenRecord words;
    words.id = token.id;
    words.section = token.section;
    words.bytes = token.bytes;
    words.logProb = token.logProb;
    return words;
}

TokenRecord randomToken(std::mt19937 &random)
{
    const auto below = [&](std::uint32_t limit) { return static_cast<std::uint32_t>(random() % limit); };
    const auto real = [&] {
        constexpr std::array kSpecial{0.0F, -0.0F, std::numeric_limits<float>::infinity(),
                                      -std::numeric_limits<float>::infinity(),
                                      std::numeric_limits<float>::denorm_min()};
        return below(10) == 0 ? kSpecial[below(kSpecial.size())]
                              : -std::exponential_distribution<float>(1)(random);
    };
    TokenRecord token;
    token.id = below(20) == 0 ? -1 : static_cast<TokenId>(below(200'000));
    token.section = static_cast<Section>(below(3));
    for (std::uint32_t i = below(12); i > 0; --i)
        token.bytes += static_cast<char>(below(256));
    token.logProb = real();
    token.restMass = real();
    token.seconds = real();
    token.top.resize(below(21));
    for (Candidate &candidate : token.top)
        candidate = {static_cast<TokenId>(200'000 + below(200'000)), asStored(real())};
    if (!token.top.empty() && below(2) == 0)
        token.top.front() = {token.id, token.logProb};
    token.experts.resize(below(4) * 6);
    for (ExpertChoice &choice : token.experts)
        choice = {static_cast<std::uint16_t>(below(65'536)), asStored(real())};
    return token;
}

TokenRecord plainToken(const std::string &bytes, Section section)
{
    TokenRecord token;
    token.id = static_cast<TokenId>(bytes.size());
    token.section = section;
    token.bytes = bytes;
    token.logProb = -0.25F;
    token.top.assign(20, {1234, -2.5F});
    token.experts.assign(16, {7, 0.625F});
    return token;
}

std::vector<TokenRecord> randomTokens(std::mt19937 &random, std::size_t count)
{
    std::vector<TokenRecord> tokens;
    while (tokens.size() < count)
        tokens.push_back(randomToken(random));
    return tokens;
}

std::string joined(const std::vector<TokenRecord> &tokens, Section section)
{
    std::string text;
    for (const TokenRecord &token : tokens)
        if (token.section == section)
            text += token.bytes;
    return text;
}

OneConversation::OneConversation()
    : m_history(std::make_unique<History>(folder.path()))
{
    conversation = ids.next();
    history().create({.id = conversation, .title = "Ships"});
    question = ids.next();
    history().addMessage({.id = question, .conversation = conversation, .text = "How deep did they dive?"});
}

MessageId OneConversation::beginReply()
{
    const MessageId id = ids.next();
    history().beginReply({.id = id,
                          .conversation = conversation,
                          .parent = question,
                          .role = Role::Assistant,
                          .model = "f00d"});
    return id;
}

LoadedMessage OneConversation::lastMessage()
{
    return history().load(conversation).path.back();
}

void OneConversation::reopen()
{
    m_history.reset();
    m_history = std::make_unique<History>(folder.path());
}

} // namespace bathyscope::storage::test
