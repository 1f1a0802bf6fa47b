// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/trace/trace_tensors.h"

#include "engine/checkpoint/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <limits>
#include <numeric>

namespace bathyscope {

namespace {

using Shape = std::vector<std::int64_t>;

/// Tensors with the memory that they point to.
class TensorList {
public:
    void add(const std::string &name, Shape shape, std::vector<std::int32_t> values)
    {
        m_integers.push_back(std::move(values));
        m_tensors.push_back({name, "I32", std::move(shape), std::as_bytes(std::span(m_integers.back()))});
    }
    void add(const std::string &name, Shape shape, std::vector<float> values)
    {
        m_reals.push_back(std::move(values));
        m_tensors.push_back({name, "F32", std::move(shape), std::as_bytes(std::span(m_reals.back()))});
    }
    [[nodiscard]] const std::vector<TensorToWrite> &tensors() const { return m_tensors; }

private:
    std::deque<std::vector<std::int32_t>> m_integers;
    std::deque<std::vector<float>> m_reals;
    std::vector<TensorToWrite> m_tensors;
};

constexpr float notTraced = std::numeric_limits<float>::quiet_NaN();

std::int32_t idOf(const Candidate &candidate)
{
    return candidate.id;
}

std::int32_t idOf(const ExpertChoice &choice)
{
    return choice.expert;
}

float numberOf(const Candidate &candidate)
{
    return candidate.logProb;
}

float numberOf(const ExpertChoice &choice)
{
    return choice.weight;
}

/// Two tensors of `shape` [tokens, …] from the entries of each token; a token with fewer is filled up.
template <typename Entry>
void addEntries(TensorList &list, const std::string &idsName, const std::string &numbersName,
                const Shape &shape, const std::vector<TokenRecord> &tokens,
                std::vector<Entry> TokenRecord::*entries)
{
    const std::int64_t width =
        std::accumulate(shape.begin() + 1, shape.end(), std::int64_t(1), std::multiplies());
    std::vector<std::int32_t> ids(tokens.size() * static_cast<std::size_t>(width), -1);
    std::vector<float> numbers(ids.size(), notTraced);
    for (std::size_t t = 0; t < tokens.size(); ++t) {
        std::size_t at = t * static_cast<std::size_t>(width);
        for (const Entry &entry : tokens[t].*entries) {
            ids[at] = idOf(entry);
            numbers[at++] = numberOf(entry);
        }
    }
    list.add(idsName, shape, std::move(ids));
    list.add(numbersName, shape, std::move(numbers));
}

/// Whether all tokens have the routing of one shape, or none.
bool hasRouting(const TracedMessage &reply)
{
    if (!reply.model)
        return false;
    const std::size_t expected =
        reply.model->moeLayers.size() * static_cast<std::size_t>(reply.model->expertsPerToken);
    const auto fits = [&](const TokenRecord &t) { return t.experts.empty() || t.experts.size() == expected; };
    const auto traced = [](const TokenRecord &t) { return !t.experts.empty(); };
    return std::all_of(reply.tokens.begin(), reply.tokens.end(), fits)
        && std::any_of(reply.tokens.begin(), reply.tokens.end(), traced);
}

void addReply(TensorList &list, const std::string &prefix, const TracedMessage &reply)
{
    const auto count = static_cast<std::int64_t>(reply.tokens.size());
    std::vector<std::int32_t> ids;
    std::vector<std::int32_t> sections;
    std::vector<float> logProbs;
    std::vector<float> rest;
    std::size_t candidates = 0;
    for (const TokenRecord &token : reply.tokens) {
        ids.push_back(token.id);
        sections.push_back(static_cast<std::int32_t>(token.section));
        logProbs.push_back(token.logProb);
        rest.push_back(token.top.empty() ? notTraced : token.restMass);
        candidates = std::max(candidates, token.top.size());
    }
    list.add(prefix + "ids", {count}, std::move(ids));
    list.add(prefix + "section", {count}, std::move(sections));
    list.add(prefix + "logprobs", {count}, std::move(logProbs));
    list.add(prefix + "rest", {count}, std::move(rest));
    if (candidates > 0)
        addEntries(list, prefix + "top.ids", prefix + "top.logprobs",
                   {count, static_cast<std::int64_t>(candidates)}, reply.tokens, &TokenRecord::top);
    if (!hasRouting(reply))
        return;
    const std::vector<std::int32_t> &layers = reply.model->moeLayers;
    list.add(prefix + "router.layers", {static_cast<std::int64_t>(layers.size())}, layers);
    addEntries(list, prefix + "router.ids", prefix + "router.weights",
               {count, static_cast<std::int64_t>(layers.size()), reply.model->expertsPerToken}, reply.tokens,
               &TokenRecord::experts);
}

} // namespace

void writeTraceTensors(const std::filesystem::path &path, std::span<const TracedMessage> messages)
{
    TensorList list;
    int replies = 0;
    for (const TracedMessage &message : messages)
        if (message.role == Role::Assistant)
            addReply(list, fmt::format("reply.{}.", replies++), message);
    writeSafetensors(path, list.tensors());
}

} // namespace bathyscope
