// SPDX-License-Identifier: GPL-3.0-or-later
//
// Everything that crosses a thread: plain values, no pointers into the engine.
// This is the only engine header that `storage/` and `ui/` may include.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bathyscope {

/// Index into a model's vocabulary.
using TokenId = std::int32_t;

enum class Role : std::uint8_t { System, User, Assistant };

/// One turn of a conversation, as a chat template sees it. UTF-8.
struct Message {
    Role role = Role::User;
    std::string content;

    bool operator==(const Message &) const = default;
};

/// The part of a reply a token belongs to. `Marker` tokens (`<think>`, `</think>`, the end of the
/// sequence) separate the parts and are not shown as text.
enum class Section : std::uint8_t { Reasoning, Answer, Marker };

/// One entry of the model's own next-token distribution.
struct Candidate {
    TokenId id = 0;
    float logProb = 0; ///< natural logarithm, before the sampler touched the distribution

    bool operator==(const Candidate &) const = default;
};

/// One routed expert and the weight its output was multiplied with.
struct ExpertChoice {
    std::uint16_t expert = 0;
    float weight = 0; ///< final weight: normalised and scaled as the model's router does

    bool operator==(const ExpertChoice &) const = default;
};

/// Why the router chose a token's experts in one layer (DeepSeek-V2, section 2.2; DeepSeek-V3,
/// section 2.1.2).
struct RouterDecision {
    std::int32_t layer = 0;
    std::string scoring; ///< what made scores of the router's logits: "sigmoid" or "softmax"
    std::vector<float> scores; ///< [experts] weights are made of these
    std::vector<float> bias; ///< [experts] added for the choice only; empty: the model has none
    std::int32_t groups = 1; ///< the experts lie in so many groups of equal size
    std::vector<std::int32_t> keptGroups; ///< whose experts could be chosen, ascending
    std::vector<ExpertChoice> chosen; ///< by ascending expert

    bool operator==(const RouterDecision &) const = default;
};

/// One generated token and all that was seen while it was chosen.
struct TokenRecord {
    TokenId id = 0;
    Section section = Section::Answer;
    std::string bytes; ///< the token's raw bytes; a token may begin or end inside a UTF-8 character
    float logProb = 0; ///< of this token in the model's own distribution
    std::vector<Candidate> top; ///< most probable first; empty when not traced
    float restMass = 0; ///< probability of all tokens that are not in `top`, 0…1
    /// Experts of the forward pass that produced the distribution this token was chosen from: layer by
    /// layer over the MoE layers (ModelInfo::moeLayers), ModelInfo::expertsPerToken entries each, by
    /// ascending expert. Empty when not traced or when the model has no experts.
    std::vector<ExpertChoice> experts;
    float seconds = 0; ///< since the request was taken up

    bool operator==(const TokenRecord &) const = default;
};

/// How a reply came to its end.
enum class FinishReason : std::uint8_t {
    EndOfSequence, ///< the model ended its turn
    MaxTokens, ///< the limit of the request
    ContextFull, ///< no room left in the model's context
    Cancelled, ///< stopped by the user
    Error ///< see GenerationSummary::error
};

struct GenerationSummary {
    FinishReason finish = FinishReason::EndOfSequence;
    std::string error; ///< what went wrong, for FinishReason::Error
    std::int32_t promptTokens = 0;
    std::int32_t reusedTokens = 0; ///< prompt tokens that were still in the cache
    std::int32_t generatedTokens = 0;
    std::int32_t contextUsed = 0; ///< tokens held in the cache at the end
    double prefillSeconds = 0;
    double decodeSeconds = 0;

    bool operator==(const GenerationSummary &) const = default;
};

/// What is done to the distribution between logits and choice. A stage whose value is neutral is off.
struct SamplingParameters {
    float temperature = 1.0F; ///< 0: greedy
    std::int32_t topK = 0; ///< 0: off
    float topP = 1.0F; ///< 1: off
    float minP = 0.0F; ///< 0: off; keeps tokens with p >= minP * max p
    float repetitionPenalty = 1.0F; ///< 1: off
    std::optional<std::uint64_t> seed; ///< none: a fresh one for every reply
    std::int32_t maxTokens = 0; ///< 0: until the context is full

    bool operator==(const SamplingParameters &) const = default;
};

/// What is recorded beside the text.
struct TraceOptions {
    std::int32_t candidates = 20; ///< entries of TokenRecord::top; 0: none
    bool routing = true;

    bool operator==(const TraceOptions &) const = default;
};

/// A stage of the sampler that removes tokens, in the order of the stages.
enum class SamplerStage : std::uint8_t {
    Greedy, ///< temperature 0: all but the best one
    TopK,
    TopP,
    MinP
};
inline constexpr std::size_t samplerStages = 4;

/// What the sampler made of one candidate.
struct SampledCandidate {
    float probability = 0; ///< of being drawn; 0 for one that was removed
    std::optional<SamplerStage> removedBy = {};

    bool operator==(const SampledCandidate &) const = default;
};

/// What a sampler leaves of a distribution. Derived: the stages are run again on the same logits, and they
/// depend on nothing else but the tokens before (for the repetition penalty).
struct SamplerOutcome {
    SamplingParameters parameters;
    std::vector<SampledCandidate> candidates; ///< for each entry of TokenRecord::top, in the same order
    std::int32_t kept = 0; ///< tokens that can be drawn
    std::array<std::int32_t, samplerStages> removed{}; ///< tokens, by SamplerStage

    bool operator==(const SamplerOutcome &) const = default;
};

/// A token in the order of the model's own distribution.
struct RankedToken {
    TokenId id = 0;
    std::int32_t rank = 0; ///< 1: the most probable; of equals the lower id comes first
    float logProb = 0; ///< natural logarithm

    bool operator==(const RankedToken &) const = default;
};

/// The largest AnalysisOptions::candidates.
inline constexpr std::int32_t maxAnalysedRanks = 1000;

/// What is wanted to be known about places of a text that is there already. Place i is the one where its
/// token i stands; the place after the last token can be asked about, too.
struct AnalysisOptions {
    std::int32_t first = 0; ///< place
    std::int32_t count = 1; ///< places; 0: only the ids of the text
    std::int32_t candidates = 20; ///< entries of TokenRecord::top
    std::vector<TokenId> tokens = {}; ///< whose ranks are wanted at every place
    std::optional<SamplingParameters> sampling = {}; ///< what would a sampler with these leave?
    bool routing = false;
    bool decisions = false; ///< PositionAnalysis::decisions

    bool operator==(const AnalysisOptions &) const = default;
};

/// One place of a text. Measured anew, from all logits.
struct PositionAnalysis {
    /// The token that stands there and its distribution, as it would have been recorded while writing; id -1
    /// after the last token. Section and seconds are not set.
    TokenRecord record;
    std::int32_t rank = 0; ///< of the token that stands there; 0 after the last one
    float entropy = 0; ///< bits, of the whole distribution
    std::vector<RankedToken> asked; ///< AnalysisOptions::tokens, in their order
    std::optional<SamplerOutcome> sampler;
    /// Of all MoE layers, in the step that gave the distribution; empty when the device cannot tell.
    std::vector<RouterDecision> decisions;
};

struct Analysis {
    std::vector<TokenId> ids; ///< of the text
    std::vector<PositionAnalysis> positions; ///< fewer than asked for when it was stopped
    std::string error; ///< for people: why there is none
};

/// The raw bytes of every token, so that a candidate can be shown without the engine.
using Vocabulary = std::vector<std::string>;

/// What attention is made of, in all layers alike: what a token leaves in the cache follows from it.
struct AttentionShape {
    std::int32_t heads = 0; ///< of queries; 0: not known
    std::int32_t keyDim = 0; ///< values of one head's key
    std::int32_t valueDim = 0; ///< values of one head's value
    std::int32_t keyValueHeads = 0; ///< of grouped-query attention; 0: latent attention
    std::int32_t latentDim = 0; ///< kv_lora_rank, of latent attention
    std::int32_t ropeDim = 0; ///< qk_rope_head_dim, of latent attention

    bool operator==(const AttentionShape &) const = default;
};

/// Bytes of a device. Zero: it cannot tell.
struct DeviceMemory {
    std::int64_t total = 0;
    std::int64_t available = 0; ///< that a program may still take

    bool operator==(const DeviceMemory &) const = default;
};

/// A processor with its memory: the CPU or a GPU.
struct DeviceInfo {
    std::string id; ///< "cpu", "cuda:0", …
    std::string name; ///< for people: "NVIDIA H200"
    DeviceMemory memory; ///< when the list was made

    bool operator==(const DeviceInfo &) const = default;
};

/// What this machine can run models on.
struct DeviceList {
    std::vector<DeviceInfo> devices; ///< the CPU first, then the GPUs by their number
    std::string noGpu; ///< why there is no GPU among them: no driver, no card, no device code, …

    bool operator==(const DeviceList &) const = default;
};

/// Where a model is to run, and how it is to be loaded.
struct LocalBackendOptions {
    /// A DeviceInfo::id, "cuda" (as many GPUs as it takes) or "auto" (GPUs where they can, else the CPU).
    std::string device = "auto";
    bool fallBack = false; ///< "auto" in the place of a device that is not there
    std::int32_t threads = 0; ///< of the CPU; 0: one for each core
    std::int32_t contextLength = 0; ///< tokens; 0: what the model allows, less where a GPU has no room for it
    bool quantise = false; ///< on a GPU: weights in F32, F16 and BF16 become FP8 blocks while they are loaded
    bool bf16Activations = false; ///< on a GPU: activations stay in BF16 where a product could take FP8
    bool hostExperts = false; ///< routed experts that do not fit on the GPUs are computed by the CPU

    bool operator==(const LocalBackendOptions &) const = default;
};

/// What one device holds of a model: a range of its layers. All sizes in bytes.
struct DeviceShare {
    DeviceInfo device;
    std::int32_t firstLayer = 0;
    std::int32_t layers = 0;
    std::int64_t weights = 0;
    std::int64_t cache = 0; ///< of a full context
    std::int64_t workspace = 0; ///< activations and what the driver takes

    [[nodiscard]] std::int64_t needed() const { return weights + cache + workspace; }
    bool operator==(const DeviceShare &) const = default;
};

/// Other options under which a model fits.
struct MemoryAdvice {
    std::string text; ///< for people: "a context of 32,768 tokens"
    LocalBackendOptions options;

    bool operator==(const MemoryAdvice &) const = default;
};

/// Where a model's weights and cache lie, or why they cannot.
struct MemoryPlan {
    std::vector<DeviceShare> shares; ///< in the order of the layers; where refused, what it would take
    std::int32_t contextLength = 0; ///< tokens
    bool quantised = false; ///< the weights become FP8 blocks
    /// From this layer on, the draft's included, routed experts stay on the host and the CPU computes them.
    std::optional<std::int32_t> hostExpertsFrom = {};
    std::int64_t hostBytes = 0; ///< their weights
    std::string note; ///< what one should know of it: why the CPU was taken, why it will be slow
    std::string refusal; ///< why it cannot be, with figures; empty: it fits
    std::vector<MemoryAdvice> advice; ///< what would fit instead

    [[nodiscard]] bool fits() const { return refusal.empty(); }
    [[nodiscard]] bool onGpu() const { return !shares.empty() && shares.front().device.id != "cpu"; }
    bool operator==(const MemoryPlan &) const = default;
};

struct ModelMemory; // engine/executor/memory_plan.h

/// What a loaded model is, for people and for views.
struct ModelInfo {
    std::string name; ///< for people: the directory's name or a given title
    std::string path; ///< UTF-8
    std::string architecture; ///< `model_type` of config.json
    std::string dtype; ///< of most weights: "FP8", "BF16", …
    std::string device; ///< for people: "CPU · 2 threads"
    std::string fingerprint; ///< hexadecimal, stable for the same weights and vocabulary
    std::uint64_t parameters = 0;
    std::uint64_t activeParameters = 0; ///< used for one token
    std::int32_t layers = 0;
    std::vector<std::int32_t> moeLayers; ///< indices of the layers that route, ascending
    std::int32_t experts = 0; ///< routed experts a layer; 0: a dense model
    std::int32_t expertsPerToken = 0;
    std::int32_t contextLength = 0; ///< tokens
    std::int64_t cacheBytesPerToken = 0; ///< all layers together
    AttentionShape attention;
    std::int64_t weightBytes = 0; ///< of all tensors, as stored
    DeviceMemory memory; ///< of the device, with all weights in
    MemoryPlan plan; ///< where it lies
    std::shared_ptr<const ModelMemory> needs; ///< what planMemory() takes; none for a remote model
    SamplingParameters defaults; ///< from generation_config.json
    std::shared_ptr<const Vocabulary> vocabulary;
};

struct PrefillProgress {
    std::int32_t done = 0; ///< tokens, those reused included
    std::int32_t total = 0;
};

} // namespace bathyscope
