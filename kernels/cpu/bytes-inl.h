// SPDX-License-Identifier: GPL-3.0-or-later
//
// Sixteen bytes at a time, for each Highway target: what unpacking quantised weights is made of.
#if defined(BATHYSCOPE_BYTES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BATHYSCOPE_BYTES_INL_H_
#undef BATHYSCOPE_BYTES_INL_H_
#else
#define BATHYSCOPE_BYTES_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace bathyscope::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

/// The scalar target's vectors have one lane: there sixteen bytes are an array.
struct Bytes {
    std::uint8_t values[16];
};

template <class Function>
HWY_INLINE Bytes makeBytes(const Function &function)
{
    Bytes result;
    for (int i = 0; i < 16; ++i)
        result.values[i] = static_cast<std::uint8_t>(function(i));
    return result;
}

HWY_INLINE Bytes loadBytes(const void *from)
{
    Bytes result;
    std::memcpy(result.values, from, sizeof(result.values));
    return result;
}

HWY_INLINE void storeBytes(const Bytes &bytes, void *to)
{
    std::memcpy(to, bytes.values, sizeof(bytes.values));
}

HWY_INLINE Bytes repeated(std::uint8_t value)
{
    return makeBytes([&](int) { return value; });
}

/// The two bytes at `pair`, eight times.
HWY_INLINE Bytes repeatedPair(const std::uint8_t *pair)
{
    return makeBytes([&](int i) { return pair[i % 2]; });
}

HWY_INLINE Bytes operator|(const Bytes &a, const Bytes &b)
{
    return makeBytes([&](int i) { return a.values[i] | b.values[i]; });
}

HWY_INLINE Bytes operator-(const Bytes &a, const Bytes &b)
{
    return makeBytes([&](int i) { return a.values[i] - b.values[i]; });
}

/// (bytes >> Shift) & mask.
template <int Shift>
HWY_INLINE Bytes bitsOf(const Bytes &bytes, std::uint8_t mask)
{
    return makeBytes([&](int i) { return bytes.values[i] >> Shift & mask; });
}

template <int Shift>
HWY_INLINE Bytes shiftedLeft(const Bytes &bytes)
{
    return makeBytes([&](int i) { return bytes.values[i] << Shift; });
}

/// `value` where a bit of `mask` is set in `bytes`, else 0.
HWY_INLINE Bytes whereSet(const Bytes &bytes, const Bytes &mask, std::uint8_t value)
{
    return makeBytes([&](int i) { return bytes.values[i] & mask.values[i] ? value : 0; });
}

/// table[indices[i]], for indices below 16.
HWY_INLINE Bytes lookedUp(const Bytes &table, const Bytes &indices)
{
    return makeBytes([&](int i) { return table.values[indices.values[i]]; });
}

#else

using ByteTag = hn::FixedTag<std::uint8_t, 16>;
using Bytes = hn::Vec<ByteTag>;

HWY_INLINE Bytes loadBytes(const void *from)
{
    return hn::LoadU(ByteTag(), static_cast<const std::uint8_t *>(from));
}

HWY_INLINE void storeBytes(Bytes bytes, void *to)
{
    hn::StoreU(bytes, ByteTag(), static_cast<std::uint8_t *>(to));
}

HWY_INLINE Bytes repeated(std::uint8_t value)
{
    return hn::Set(ByteTag(), value);
}

HWY_INLINE Bytes repeatedPair(const std::uint8_t *pair)
{
    // Through a register: bytes that were just written one by one would have to reach memory first.
    std::uint16_t both = 0;
    std::memcpy(&both, pair, sizeof(both));
    return hn::BitCast(ByteTag(), hn::Set(hn::Repartition<std::uint16_t, ByteTag>(), both));
}

template <int Shift>
HWY_INLINE Bytes bitsOf(Bytes bytes, std::uint8_t mask)
{
    return hn::And(hn::ShiftRight<Shift>(bytes), repeated(mask));
}

template <int Shift>
HWY_INLINE Bytes shiftedLeft(Bytes bytes)
{
    return hn::ShiftLeft<Shift>(bytes);
}

HWY_INLINE Bytes whereSet(Bytes bytes, Bytes mask, std::uint8_t value)
{
    const ByteTag d;
    return hn::AndNot(hn::VecFromMask(d, hn::Eq(hn::And(bytes, mask), hn::Zero(d))), repeated(value));
}

HWY_INLINE Bytes lookedUp(Bytes table, Bytes indices)
{
    return hn::TableLookupBytes(table, indices);
}

#endif

} // namespace bathyscope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif // per-target include guard
