// SPDX-License-Identifier: GPL-3.0-or-later
//
// Rotary position embedding in a config.json, in the older and the newer spelling.
#include "engine/limits.h"
#include "engine/models/architectures.h"

namespace bathyscope {

namespace {

YarnConfig readYarn(const ConfigReader &c)
{
    YarnConfig yarn;
    yarn.factor = c.number("factor", 1, 1e6);
    yarn.originalMaxPositionEmbeddings = c.number("original_max_position_embeddings", 1, limits::maxContext);
    yarn.betaFast = c.numberOr("beta_fast", 32, 1e-3, 1e6);
    yarn.betaSlow = c.numberOr("beta_slow", 1, 1e-3, 1e6);
    yarn.mscale = c.numberOr("mscale", 1, 0, 100);
    yarn.mscaleAllDim = c.numberOr("mscale_all_dim", 0, 0, 100);
    return yarn;
}

Llama3RopeConfig readLlama3(const ConfigReader &c)
{
    Llama3RopeConfig llama3;
    llama3.factor = c.number("factor", 1, 1e6);
    llama3.lowFreqFactor = c.number("low_freq_factor", 1e-3, 1e6);
    llama3.highFreqFactor = c.number("high_freq_factor", 1e-3, 1e6);
    if (llama3.highFreqFactor <= llama3.lowFreqFactor)
        c.fail("high_freq_factor", "more than low_freq_factor");
    llama3.originalMaxPositionEmbeddings =
        c.number("original_max_position_embeddings", 1, limits::maxContext);
    return llama3;
}

} // namespace

RopeConfig readRope(const ConfigReader &c, kernels::RopePairs usual)
{
    using kernels::RopePairs;
    RopeConfig rope;
    rope.pairs = c.booleanOr("rope_interleave", usual == RopePairs::Adjacent) ? RopePairs::Adjacent
                                                                              : RopePairs::Halves;
    const auto parameters = c.object("rope_parameters"); // how newer exports write theta and scaling
    const auto scaling = parameters ? parameters : c.object("rope_scaling");
    rope.theta = parameters && parameters->has("rope_theta") ? parameters->number("rope_theta", 1, 1e12)
                                                             : c.numberOr("rope_theta", 10000, 1, 1e12);
    if (!scaling)
        return rope;
    const std::string key = scaling->has("rope_type") ? "rope_type" : "type";
    const std::string type = scaling->text(key);
    if (type == "yarn")
        rope.yarn = readYarn(*scaling);
    else if (type == "llama3")
        rope.llama3 = readLlama3(*scaling);
    else if (type != "default")
        scaling->fail(key, "\"yarn\", \"llama3\" or \"default\"");
    return rope;
}

} // namespace bathyscope
