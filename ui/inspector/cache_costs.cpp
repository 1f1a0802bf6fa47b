// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/cache_costs.h"

#include <algorithm>

namespace bathyscope::ui {

namespace {

int comparedGroups(const AttentionShape &shape)
{
    if (shape.keyValueHeads > 0)
        return shape.keyValueHeads;
    for (int groups = std::min(8, shape.heads - 1); groups > 1; --groups)
        if (shape.heads % groups == 0)
            return groups;
    return 1;
}

} // namespace

CacheWidths cacheWidths(const AttentionShape &shape)
{
    CacheWidths widths;
    if (shape.heads <= 0)
        return widths;
    const std::int64_t pair = std::int64_t(shape.keyDim) + shape.valueDim;
    widths.groups = comparedGroups(shape);
    widths.multiHead = shape.heads * pair;
    widths.grouped = widths.groups * pair;
    widths.held = shape.keyValueHeads > 0 ? widths.grouped : std::int64_t(shape.latentDim) + shape.ropeDim;
    return widths;
}

double bytesPerValue(const ModelInfo &model)
{
    const std::int64_t values = cacheWidths(model.attention).held * model.layers;
    return values > 0 ? static_cast<double>(model.cacheBytesPerToken) / static_cast<double>(values) : 0;
}

std::int64_t tokensThatFit(const ModelInfo &model, double bytesPerToken)
{
    return bytesPerToken > 0
        ? static_cast<std::int64_t>(static_cast<double>(model.memory.available) / bytesPerToken)
        : 0;
}

} // namespace bathyscope::ui
