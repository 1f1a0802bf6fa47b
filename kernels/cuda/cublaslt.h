// SPDX-License-Identifier: GPL-3.0-or-later
//
// NVIDIA's library of matrix products, found at run time: products in bf16 are left to it where it is there.
#pragma once

#include "kernels/cuda/runtime.h"

#include <map>
#include <memory>
#include <string>
#include <tuple>

namespace bathyscope::kernels::cuda {

/// c[m, n] = a[m, k] · W[n, k]ᵀ, or +=; a and W in bf16, all pointers and rows at multiples of 16 bytes.
struct Bf16Product {
    const void *a = nullptr; ///< [m, aStride]
    const void *weights = nullptr; ///< [n, k]
    void *c = nullptr; ///< [m, cStride]: float32 or bf16
    std::int64_t aStride = 0;
    std::int64_t cStride = 0;
    std::int32_t m = 0;
    std::int32_t n = 0;
    std::int32_t k = 0;
    bool f32 = false; ///< c is float32
    bool accumulate = false; ///< c +=
};

/// The library on the current card.
class CublasLt {
    struct Functions;
    struct Plan;

public:
    /// Nothing, and the reason in `why`, where the library is missing or too old.
    static std::unique_ptr<CublasLt> load(std::string *why);
    explicit CublasLt(std::unique_ptr<Functions> functions);
    ~CublasLt();
    CublasLt(const CublasLt &) = delete;
    CublasLt &operator=(const CublasLt &) = delete;

    /// Enqueues the product. False where the library has no way to do it: nothing was done then.
    bool multiply(const Bf16Product &product, const Stream &stream);

private:
    using Shape = std::tuple<std::int32_t, std::int32_t, std::int32_t, std::int64_t, std::int64_t, bool>;

    [[nodiscard]] std::unique_ptr<Plan> plan(const Bf16Product &product) const;

    std::unique_ptr<Functions> m_functions;
    void *m_handle = nullptr;
    DeviceBuffer m_workspace;
    std::map<Shape, std::unique_ptr<Plan>> m_plans; ///< asking for the best way takes long
};

} // namespace bathyscope::kernels::cuda
