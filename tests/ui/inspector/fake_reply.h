// SPDX-License-Identifier: GPL-3.0-or-later
//
// A made-up model and its replies, alike in every run.
#pragma once

#include "ui/model/chat_message.h"

#include <cmath>
#include <random>
#include <string>

namespace bathyscope::ui::test {

struct FakeShape {
    int layers = 8;
    int denseLayers = 1;
    int experts = 32;
    int expertsPerToken = 4;
};

inline ModelInfo fakeModel(const FakeShape &shape = {})
{
    ModelInfo model;
    model.name = "Fake";
    model.layers = shape.layers;
    model.experts = shape.experts;
    for (int layer = shape.denseLayers; layer < shape.layers && shape.experts > 0; ++layer)
        model.moeLayers.push_back(layer);
    model.expertsPerToken = shape.expertsPerToken;
    Vocabulary vocabulary;
    for (int id = 0; id < 1024; ++id)
        vocabulary.push_back(id < 128 ? std::string(1, static_cast<char>(id)) : "tok" + std::to_string(id));
    vocabulary[1000] = " the";
    vocabulary[1001] = "\xE2\x80";
    vocabulary[1002] = "\n\n";
    vocabulary[1023] = "<｜end▁of▁sentence｜>";
    model.vocabulary = std::make_shared<const Vocabulary>(std::move(vocabulary));
    return model;
}

inline std::vector<ExpertChoice> fakeExperts(const FakeShape &shape, std::mt19937 &random)
{
    std::vector<ExpertChoice> result;
    const auto stride = static_cast<std::uint32_t>(shape.experts / shape.expertsPerToken);
    for (int layer = shape.denseLayers; layer < shape.layers; ++layer) {
        for (int choice = 0; choice < shape.expertsPerToken; ++choice) {
            const std::uint32_t expert = static_cast<std::uint32_t>(choice) * stride + random() % stride;
            const float weight = static_cast<float>(random() % 1000) / 2000.0F + 0.01F;
            result.push_back({static_cast<std::uint16_t>(expert), weight});
        }
    }
    return result;
}

/// A token whose candidates are the digits and then other ids, `chosen` among them or not.
inline TokenRecord fakeToken(const FakeShape &shape, std::mt19937 &random, TokenId chosen = '8')
{
    TokenRecord record;
    record.id = chosen;
    record.section = Section::Reasoning;
    double left = 1;
    const TokenId ids[] = {'8', '9', '7', '5',  '0',  '1',  '4',  '6',
                           ' ', '2', '3', '\n', 1000, 1001, 1002, 1023};
    for (int rank = 0; rank < 20; ++rank) {
        const double p = left * (rank == 0 ? 0.7 + 0.25 * static_cast<double>(random() % 100) / 100 : 0.45);
        left -= p;
        const TokenId id = rank < 16 ? ids[rank] : static_cast<TokenId>(200 + rank);
        record.top.push_back({id, static_cast<float>(std::log(p))});
        if (id == chosen)
            record.logProb = record.top.back().logProb;
    }
    record.restMass = static_cast<float>(left);
    if (record.logProb == 0)
        record.logProb = static_cast<float>(std::log(left / 2));
    record.bytes = chosen < 128 ? std::string(1, static_cast<char>(chosen)) : "tok" + std::to_string(chosen);
    record.experts = fakeExperts(shape, random);
    return record;
}

inline std::vector<TokenRecord> fakeTokens(int count, const FakeShape &shape = {})
{
    std::mt19937 random(7);
    std::vector<TokenRecord> result;
    for (int i = 0; i < count; ++i)
        result.push_back(fakeToken(shape, random, i % 7 == 3 ? 300 : '0' + i % 10));
    return result;
}

/// A reply in the state it is in while it is written.
inline ChatMessage fakeReply(MessageId id, int tokens, const FakeShape &shape = {})
{
    ChatMessage message;
    message.id = id;
    message.role = Role::Assistant;
    message.state = MessageState::Streaming;
    for (TokenRecord &record : fakeTokens(tokens, shape))
        message.append(std::move(record));
    return message;
}

} // namespace bathyscope::ui::test
