// SPDX-License-Identifier: GPL-3.0-or-later
//
// bathyscope-bench: how fast this machine reads and writes tokens.
#include "app/tools/arguments.h"
#include "app/tools/builtin_model.h"
#include "app/tools/tool_io.h"
#include "engine/checkpoint/random_weights.h"
#include "engine/error.h"
#include "engine/session/local_backend.h"
#include "engine/session/sampler.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace {

using namespace bathyscope;
using app::Arguments;
using Clock = std::chrono::steady_clock;

constexpr const char *help = R"(usage: bathyscope-bench [--model DIR | --shape NAME] [OPTIONS]

Measures prefill and decode and prints a table. Without --model and --shape it takes the built-in model.

  --shape NAME       random weights made in memory: builtin, deepseek-v2-lite, deepseek-v3:LAYERS,
                     r1-distill-qwen-1.5b, r1-distill-qwen-7b, qwen3-30b-a3b
  --weights TYPE     bf16, fp8 (default) or a type of GGUF such as Q4_K, for --shape
  --prompt N         tokens of the prompt to read (512)
  --generate N       tokens to write at each depth (256)
  --depth N,N        tokens in the cache before writing (0)
  --repeat N         runs of each measurement; the median counts (5)
  --json             prints JSON instead of a table
  --version
)";

double secondsSince(Clock::time_point start)
{
    return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// Token ids without structure, valid in the vocabulary.
std::vector<TokenId> someTokens(std::int64_t count, std::int32_t vocabulary)
{
    std::mt19937 random(1);
    std::vector<TokenId> ids(static_cast<std::size_t>(count));
    for (TokenId &id : ids)
        id = static_cast<TokenId>(random() % static_cast<std::uint32_t>(vocabulary));
    return ids;
}

struct Row {
    std::string what;
    std::int64_t tokens;
    double seconds;
    bool latency; ///< of interest is the time, not the rate
};

/// Numbers of tokens.
struct Lengths {
    std::int64_t prompt = 0;
    std::int64_t generate = 0;
    std::vector<std::int64_t> depths;

    explicit Lengths(const Arguments &arguments)
        : prompt(arguments.integer("--prompt", 512, 1, INT32_MAX))
        , generate(arguments.integer("--generate", 256, 1, INT32_MAX))
        , depths(arguments.integers("--depth", {0}))
    {
    }

    /// What the cache must hold.
    [[nodiscard]] std::int32_t context(const ModelConfig &config) const
    {
        const std::int64_t longest =
            std::max(prompt, *std::max_element(depths.begin(), depths.end()) + 1 + generate);
        if (longest > config.maxPositionEmbeddings)
            throw Error(fmt::format(
                "expected prompt, and depth plus generate, within the model's context of {}, found {}",
                config.maxPositionEmbeddings, longest));
        return static_cast<std::int32_t>(longest);
    }
};

class Bench {
public:
    Bench(Executor &executor, const Lengths &lengths, std::int64_t repeat)
        : m_executor(executor)
        , m_prompt(lengths.prompt)
        , m_generate(lengths.generate)
        , m_depths(lengths.depths)
        , m_repeat(repeat)
        , m_cache(executor.createCache(lengths.context(executor.config())))
    {
    }

    std::vector<Row> measure()
    {
        std::vector<Row> rows;
        readTokens(m_prompt); // warm-up: pages, caches, buffers
        rows.push_back({fmt::format("prefill {}", m_prompt), m_prompt,
                        repeat([&] { return readTokens(m_prompt); }), false});
        const std::int64_t shortPrompt = std::min<std::int64_t>(m_prompt, 32);
        rows.push_back({fmt::format("first token after {}", shortPrompt), shortPrompt,
                        repeat([&] { return readTokens(shortPrompt); }), true});
        for (const std::int64_t depth : m_depths) {
            readTokens(depth + 1);
            rows.push_back({fmt::format("decode at {}", depth), m_generate,
                            repeat([&] { return writeTokens(depth + 1, false); }), false});
            rows.push_back({fmt::format("decode at {}, taps on", depth), m_generate,
                            repeat([&] { return writeTokens(depth + 1, true); }), false});
        }
        return rows;
    }

private:
    template <typename Run>
    double repeat(const Run &run)
    {
        std::vector<double> seconds;
        for (std::int64_t i = 0; i < m_repeat; ++i)
            seconds.push_back(run());
        return median(seconds);
    }

    /// Seconds from the prompt to the next token.
    double readTokens(std::int64_t count)
    {
        const std::vector<TokenId> ids = someTokens(count, m_executor.config().vocabSize);
        const auto start = Clock::now();
        m_cache->truncate(0);
        for (std::size_t begin = 0; begin < ids.size();) {
            const std::size_t size =
                std::min(static_cast<std::size_t>(m_executor.maxChunk()), ids.size() - begin);
            forward({ids.data() + begin, size}, begin + size == ids.size(), false);
            begin += size;
        }
        return secondsSince(start);
    }

    /// Seconds for writing tokens greedily behind `depth` cached ones, as a session does; with taps, all that
    /// the inspector keeps.
    double writeTokens(std::int64_t depth, bool taps)
    {
        m_cache->truncate(static_cast<std::int32_t>(depth));
        const auto start = Clock::now();
        for (std::int64_t i = 0; i < m_generate; ++i) {
            if (m_result.choice.token < 0 || !std::isfinite(m_result.choice.distribution.logSumExp))
                throw Error("the logits are not finite");
            TokenRecord record;
            record.id = m_result.choice.token;
            record.logProb = m_result.choice.logProb;
            record.top = std::move(m_result.choice.distribution.top);
            record.experts = m_result.routing;
            forward({&record.id, 1}, true, taps);
        }
        return secondsSince(start);
    }

    void forward(std::span<const TokenId> tokens, bool last, bool taps)
    {
        ForwardRequest request{
            .tokens = tokens, .logits = last ? LogitsOf::LastToken : LogitsOf::None, .routing = taps};
        if (last)
            request.choice = m_sampler.request(taps ? TraceOptions().candidates : 0);
        m_executor.forward(request, *m_cache, m_result);
    }

    static SamplingParameters greedy()
    {
        SamplingParameters parameters;
        parameters.temperature = 0;
        return parameters;
    }

    Executor &m_executor;
    std::int64_t m_prompt;
    std::int64_t m_generate;
    std::vector<std::int64_t> m_depths;
    std::int64_t m_repeat;
    std::unique_ptr<KvCache> m_cache;
    Sampler m_sampler{greedy()};
    ForwardResult m_result;
};

void printTable(const std::string &title, const std::vector<Row> &rows)
{
    fmt::print("{}\n", title);
    for (const Row &row : rows)
        if (row.latency)
            fmt::print("  {:<28} {:>10.2f} ms\n", row.what, row.seconds * 1e3);
        else
            fmt::print("  {:<28} {:>10.0f} tokens/s\n", row.what, double(row.tokens) / row.seconds);
}

void printJson(const std::string &title, const std::vector<Row> &rows)
{
    nlohmann::json list = nlohmann::json::array();
    for (const Row &row : rows)
        list.push_back({{"what", row.what},
                        {"tokens", row.tokens},
                        {"seconds", row.seconds},
                        {"tokens_per_second", double(row.tokens) / row.seconds}});
    fmt::print("{}\n", nlohmann::json({{"model", title}, {"rows", list}}).dump(2));
}

kernels::DType weightType(const std::string &name)
{
    if (name == "fp8")
        return kernels::DType::F8E4M3;
    if (name == "bf16")
        return kernels::DType::BF16;
    for (auto type = kernels::DType::Q8_0; type <= kernels::DType::IQ4_XS;
         type = static_cast<kernels::DType>(static_cast<int>(type) + 1))
        if (name == kernels::blockOf(type).name)
            return type;
    throw Error(
        fmt::format("--weights: expected bf16, fp8 or a type of GGUF such as Q4_K, found \"{}\"", name));
}

int run(const std::vector<std::string> &words)
{
    const Arguments arguments(words,
                              app::withBackendOptions({"--model", "--shape", "--weights", "--prompt",
                                                       "--generate", "--depth", "--repeat"}),
                              app::withBackendFlags({"--json", "--help", "--version"}));
    if (arguments.flag("--help")) {
        fmt::print("{}{}", help, app::backendHelp);
        return 0;
    }
    if (arguments.flag("--version")) {
        fmt::print("bathyscope-bench {}\n", BATHYSCOPE_VERSION);
        return 0;
    }
    const auto shape = arguments.value("--shape");
    if (shape && arguments.value("--model"))
        throw Error("expected either --model or --shape");
    const std::string directory = shape ? ""
        : arguments.value("--model")    ? arguments.require("--model")
                                        : toUtf8(app::requireBuiltinModel());
    const std::string weights = arguments.value("--weights").value_or("fp8");
    const WeightFiles model = shape
        ? WeightFiles{shapeConfig(*shape), std::make_shared<RandomWeights>(weightType(weights))}
        : openWeightFiles(fromUtf8(directory));
    const Lengths lengths(arguments);
    LocalBackendOptions options = app::backendOptions(arguments);
    options.contextLength = std::max(options.contextLength, lengths.context(model.config));
    const auto needs = std::make_shared<const ModelMemory>(
        measureMemory(model.config, bindWeights(model.config, *model.weights)));
    const MemoryPlan plan = planLoading(needs, options);
    const auto executor = createExecutor(model.config, model.weights, options, plan);
    const std::string title =
        fmt::format("{} · {}", shape ? *shape + " " + weights : directory, executor->deviceName());
    const std::vector<Row> rows =
        Bench(*executor, lengths, arguments.integer("--repeat", 5, 1, 1000)).measure();
    if (!plan.note.empty())
        fmt::print(stderr, "{}\n", plan.note);
    arguments.flag("--json") ? printJson(title, rows) : printTable(title, rows);
    return 0;
}

} // namespace

int main(int argc, char **argv)
{
    return app::runTool("bathyscope-bench", run, argc, argv);
}
