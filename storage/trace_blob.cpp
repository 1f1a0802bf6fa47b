// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/trace_blob.h"

#include "engine/limits.h"
#include "storage/blob_io.h"

#include <utility>

namespace bathyscope::storage {

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kSmallestEntry = 3; ///< bytes: an id below 128 and an f16

template <typename Trace>
void writeTrace(BlobWriter &writer, const Trace &trace)
{
    writer.real(trace.seconds);
    writer.real(trace.restMass);
    writer.varint(trace.top.size());
    for (const Candidate &candidate : trace.top) {
        writer.id(candidate.id);
        writer.half(candidate.logProb);
    }
    writer.varint(trace.experts.size());
    for (const ExpertChoice &choice : trace.experts) {
        writer.varint(choice.expert);
        writer.half(choice.weight);
    }
}

TokenTrace readTrace(BlobReader &reader)
{
    TokenTrace trace;
    trace.seconds = reader.real();
    trace.restMass = reader.real();
    trace.top.resize(reader.entries(kSmallestEntry));
    for (Candidate &candidate : trace.top) {
        candidate.id = reader.id();
        candidate.logProb = reader.half();
    }
    trace.experts.resize(reader.entries(kSmallestEntry));
    for (ExpertChoice &choice : trace.experts) {
        choice.expert = static_cast<std::uint16_t>(reader.varint(std::numeric_limits<std::uint16_t>::max()));
        choice.weight = reader.half();
    }
    return trace;
}

template <typename Trace>
std::string pack(const std::string &model, std::span<const Trace> traces)
{
    BlobWriter writer(kVersion, traces.size());
    writer.bytes(std::string_view(model).substr(0, limits::maxFingerprintBytes));
    for (const Trace &trace : traces)
        writeTrace(writer, trace);
    return writer.finish();
}

} // namespace

void addTrace(TokenRecord &token, TokenTrace trace)
{
    token.top = std::move(trace.top);
    token.restMass = trace.restMass;
    token.experts = std::move(trace.experts);
    token.seconds = trace.seconds;
    for (Candidate &candidate : token.top)
        if (candidate.id == token.id)
            candidate.logProb = token.logProb;
}

std::string packTraces(const std::string &model, std::span<const TokenRecord> tokens)
{
    return pack(model, tokens);
}

TraceBlob unpackTraces(std::string_view blob)
{
    BlobReader reader(blob, kVersion, limits::tokensPerBlob);
    TraceBlob unpacked;
    unpacked.model = reader.bytes();
    if (unpacked.model.size() > limits::maxFingerprintBytes)
        throw Error(fmt::format("model: expected a fingerprint of at most {} bytes, found {}",
                                limits::maxFingerprintBytes, unpacked.model.size()));
    unpacked.traces.reserve(reader.count());
    for (std::size_t i = 0; i < reader.count(); ++i)
        unpacked.traces.push_back(readTrace(reader));
    reader.expectEnd();
    return unpacked;
}

std::string joinTraces(std::span<const std::string> blobs)
{
    TraceBlob all;
    for (const std::string &blob : blobs) {
        TraceBlob next = unpackTraces(blob);
        if (!all.traces.empty() && next.model != all.model)
            throw Error(fmt::format("model: expected {}, found {}", all.model, next.model));
        all.model = std::move(next.model);
        std::move(next.traces.begin(), next.traces.end(), std::back_inserter(all.traces));
    }
    if (all.traces.size() > limits::tokensPerBlob)
        throw Error(
            fmt::format("count: expected at most {}, found {}", limits::tokensPerBlob, all.traces.size()));
    return pack(all.model, std::span<const TokenTrace>(all.traces));
}

} // namespace bathyscope::storage
