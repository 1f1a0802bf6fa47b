// SPDX-License-Identifier: GPL-3.0-or-later
//
// The built-in model through a session, as the window uses it, against the limits for a machine with two
// cores. Prints the median of several runs; exits with 1 when a limit is missed.
#include "engine/session/backend.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace {

using namespace bathyscope;

constexpr int runs = 21;

class Discard : public TokenSink {
public:
    double firstToken = -1; ///< seconds after the request
    void onPrefill(const PrefillProgress &) override { }
    void onToken(TokenRecord &&record) override
    {
        if (firstToken < 0)
            firstToken = double(record.seconds);
    }
};

class Keep : public TokenSink {
public:
    std::vector<TokenId> ids;
    void onPrefill(const PrefillProgress &) override { }
    void onToken(TokenRecord &&record) override { ids.push_back(record.id); }
};

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// One reply with an empty cache.
struct Speeds {
    double prefill = 0; ///< tokens a second
    double decode = 0; ///< tokens a second
    double firstToken = 0; ///< seconds
};

Speeds measure(Backend &backend, const Request &request)
{
    Discard sink;
    const GenerationSummary summary = backend.createSession()->generate(request, sink, {});
    return {summary.promptTokens / summary.prefillSeconds, summary.generatedTokens / summary.decodeSeconds,
            sink.firstToken};
}

/// Seconds from asking for a fork in the middle of a reply to its first token.
double forkStart(Session &session, const Request &request)
{
    Keep whole;
    session.generate(request, whole, {});
    Request fork = request;
    const std::size_t at = whole.ids.size() / 2;
    fork.replyStart.assign(whole.ids.begin(), whole.ids.begin() + static_cast<std::ptrdiff_t>(at));
    fork.forced = std::vector<TokenId>{whole.ids[at] == 5 ? 6 : 5};
    fork.sampling.maxTokens = 4;
    Discard sink;
    session.generate(fork, sink, {});
    return sink.firstToken;
}

bool report(const char *what, double value, const char *unit, double limit, bool atLeast)
{
    const bool kept = atLeast ? value >= limit : value <= limit;
    fmt::print("  {:<34} {:>10.2f} {:<9} limit {:>8.0f}   {}\n", what, value, unit, limit,
               kept ? "kept" : "MISSED");
    return kept;
}

} // namespace

int main()
{
    const auto backend = openLocalBackend(BATHYSCOPE_BUILTIN_MODEL, {});
    fmt::print("{} · {}\n", backend->model().name, backend->model().device);

    Request longPrompt;
    std::vector<TokenId> ids;
    for (TokenId i = 0; i < 512; ++i)
        ids.push_back(i * 389 % 1024); // all over the vocabulary, so that all experts have work
    longPrompt.prompt = ids;
    longPrompt.sampling.maxTokens = 1;
    Request shortPrompt;
    shortPrompt.prompt = std::vector<Message>{{Role::User, "What is 25 * 37?"}};
    shortPrompt.sampling.temperature = 0;
    Request quiet = shortPrompt;
    quiet.trace = {.candidates = 0, .routing = false};

    measure(*backend, longPrompt); // warm-up
    std::vector<double> prefill;
    std::vector<double> decode;
    std::vector<double> firstToken;
    std::vector<double> forks;
    const auto session = backend->createSession();
    std::vector<double> tapCost; // in pairs, so that a change of the machine's speed meets both
    for (int i = 0; i < runs; ++i) {
        prefill.push_back(measure(*backend, longPrompt).prefill);
        const Speeds off = measure(*backend, quiet);
        const Speeds on = measure(*backend, shortPrompt);
        decode.push_back(on.decode);
        firstToken.push_back(on.firstToken);
        forks.push_back(forkStart(*session, shortPrompt));
        tapCost.push_back(100 * (off.decode / on.decode - 1));
    }
    bool kept = report("prefill of 512 tokens", median(prefill), "tokens/s", 10000, true);
    kept &= report("decode, taps on", median(decode), "tokens/s", 1500, true);
    kept &= report("cost of the taps", median(tapCost), "%", 5, false);
    kept &= report("first token of a short prompt", 1e3 * median(firstToken), "ms", 20, false);
    kept &= report("first token of a fork", 1e3 * median(forks), "ms", 50, false);
    return kept ? 0 : 1;
}
