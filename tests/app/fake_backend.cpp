// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/app/fake_backend.h"

#include "engine/error.h"

#include <chrono>
#include <thread>

namespace bathyscope::app {

std::vector<Request> FakeScript::requests() const
{
    const std::lock_guard lock(m_mutex);
    return m_requests;
}

void FakeScript::addRequest(const Request &request)
{
    const std::lock_guard lock(m_mutex);
    m_requests.push_back(request);
}

namespace {

class FakeSession : public Session {
public:
    explicit FakeSession(std::shared_ptr<FakeScript> script)
        : m_script(std::move(script))
    {
    }

    GenerationSummary generate(const Request &request, TokenSink &sink, std::stop_token stop) override
    {
        m_script->addRequest(request);
        if (!m_script->failure.empty())
            throw Error(m_script->failure);
        sink.onPrefill({.done = 10, .total = 10});
        GenerationSummary summary;
        summary.promptTokens = 10;
        summary.prefillSeconds = 0.01;
        summary.decodeSeconds = 0.1;
        for (const std::string &text : m_script->reasoning)
            emitToken(sink, Section::Reasoning, text, summary);
        emitToken(sink, Section::Marker, "</think>", summary);
        do {
            for (const std::string &text : m_script->answer) {
                if (stop.stop_requested()) {
                    summary.finish = FinishReason::Cancelled;
                    return summary;
                }
                emitToken(sink, Section::Answer, text, summary);
                if (m_script->endless)
                    std::this_thread::sleep_for(std::chrono::milliseconds(2));
            }
        } while (m_script->endless);
        return summary;
    }

private:
    static void emitToken(TokenSink &sink, Section section, const std::string &text,
                          GenerationSummary &summary)
    {
        TokenRecord token;
        token.id = summary.generatedTokens % 3;
        token.section = section;
        token.bytes = text;
        token.logProb = -0.25F;
        token.top = {{token.id, -0.25F}, {(token.id + 1) % 3, -2.5F}};
        token.restMass = 0.125F;
        token.experts = {{1, 0.75F}, {2, 0.25F}};
        token.seconds = 0.01F * static_cast<float>(summary.generatedTokens);
        ++summary.generatedTokens;
        summary.contextUsed = summary.promptTokens + summary.generatedTokens;
        sink.onToken(std::move(token));
    }

    std::shared_ptr<FakeScript> m_script;
};

class FakeBackend : public Backend {
public:
    explicit FakeBackend(std::shared_ptr<FakeScript> script)
        : m_script(std::move(script))
    {
        m_info.name = "fake";
        m_info.path = "/fake";
        m_info.fingerprint = "f00d";
        m_info.layers = 2;
        m_info.moeLayers = {0, 1};
        m_info.experts = 4;
        m_info.expertsPerToken = 1;
        m_info.contextLength = 100;
        m_info.cacheBytesPerToken = 8;
        m_info.defaults.temperature = 0.5F;
        m_info.vocabulary = std::make_shared<const Vocabulary>(Vocabulary{"a", "b", "c"});
    }

    const ModelInfo &model() const override { return m_info; }
    Capabilities capabilities() const override
    {
        return {.logProbs = true, .maxCandidates = 20, .routing = true};
    }
    std::unique_ptr<Session> createSession() override { return std::make_unique<FakeSession>(m_script); }

private:
    std::shared_ptr<FakeScript> m_script;
    ModelInfo m_info;
};

} // namespace

std::unique_ptr<Backend> makeFakeBackend(std::shared_ptr<FakeScript> script)
{
    return std::make_unique<FakeBackend>(std::move(script));
}

} // namespace bathyscope::app
