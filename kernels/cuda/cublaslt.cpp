// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cuda/cublaslt.h"

#if __has_include(<cublasLt.h>)

#include "kernels/cuda/library.h"

#include <cublasLt.h>

#include <array>

namespace bathyscope::kernels::cuda {

namespace {

#ifdef _WIN32
constexpr std::array libraryNames = {"cublasLt64_13.dll", "cublasLt64_12.dll"};
#else
constexpr std::array libraryNames = {"libcublasLt.so.13", "libcublasLt.so.12"};
#endif

constexpr std::size_t workspaceBytes = std::size_t(32) << 20U;
constexpr std::size_t mostPlans = 512; ///< chunks of many lengths must not fill the memory

void require(cublasStatus_t status, const char *call)
{
    if (status != CUBLAS_STATUS_SUCCESS)
        throw CudaError(std::string(call) + " failed with status " + std::to_string(int(status)),
                        CUDA_ERROR_UNKNOWN);
}

} // namespace

#define BATHYSCOPE_CUBLASLT_FUNCTIONS(X)                                                                     \
    X(cublasLtCreate)                                                                                        \
    X(cublasLtDestroy)                                                                                       \
    X(cublasLtMatmul)                                                                                        \
    X(cublasLtMatmulAlgoGetHeuristic)                                                                        \
    X(cublasLtMatmulDescInit_internal)                                                                       \
    X(cublasLtMatmulDescSetAttribute)                                                                        \
    X(cublasLtMatrixLayoutInit_internal)                                                                     \
    X(cublasLtMatmulPreferenceInit_internal)                                                                 \
    X(cublasLtMatmulPreferenceSetAttribute)

struct CublasLt::Functions {
#define BATHYSCOPE_CUBLASLT_MEMBER(name) decltype(&::name) name = nullptr;
    BATHYSCOPE_CUBLASLT_FUNCTIONS(BATHYSCOPE_CUBLASLT_MEMBER)
#undef BATHYSCOPE_CUBLASLT_MEMBER
};

/// How one shape is multiplied. The library counts in columns: its first matrix is W, its second a, both as
/// [k, …] with rows that follow each other, and its result [n, m].
struct CublasLt::Plan {
    bool possible = false;
    cublasLtMatmulDescOpaque_t operation{};
    cublasLtMatrixLayoutOpaque_t weights{};
    cublasLtMatrixLayoutOpaque_t a{};
    cublasLtMatrixLayoutOpaque_t c{};
    cublasLtMatmulAlgo_t algorithm{};
};

std::unique_ptr<CublasLt> CublasLt::load(std::string *why)
{
    const Library library(libraryNames);
    if (!library.loaded()) {
        *why = "cuBLASLt was not found (" + library.error() + ")";
        return nullptr;
    }
    auto functions = std::make_unique<Functions>();
    const char *missing = nullptr;
#define BATHYSCOPE_CUBLASLT_RESOLVE(name)                                                                    \
    functions->name = library.function<decltype(functions->name)>(#name);                                    \
    missing = functions->name ? missing : #name;
    BATHYSCOPE_CUBLASLT_FUNCTIONS(BATHYSCOPE_CUBLASLT_RESOLVE)
#undef BATHYSCOPE_CUBLASLT_RESOLVE
    if (missing) {
        *why = std::string("cuBLASLt is too old: it lacks ") + missing;
        return nullptr;
    }
    return std::make_unique<CublasLt>(std::move(functions));
}

CublasLt::CublasLt(std::unique_ptr<Functions> functions)
    : m_functions(std::move(functions))
    , m_workspace(workspaceBytes)
{
    cublasLtHandle_t handle = nullptr;
    require(m_functions->cublasLtCreate(&handle), "cublasLtCreate");
    m_handle = handle;
}

CublasLt::~CublasLt()
{
    m_functions->cublasLtDestroy(static_cast<cublasLtHandle_t>(m_handle));
}

std::unique_ptr<CublasLt::Plan> CublasLt::plan(const Bf16Product &p) const
{
    const Functions &f = *m_functions;
    auto result = std::make_unique<Plan>();
    const auto size = [](std::int64_t value) { return static_cast<std::uint64_t>(value); };
    const cublasOperation_t transposed = CUBLAS_OP_T;
    require(f.cublasLtMatmulDescInit_internal(&result->operation, sizeof(result->operation),
                                              CUBLAS_COMPUTE_32F, CUDA_R_32F),
            "cublasLtMatmulDescInit");
    require(f.cublasLtMatmulDescSetAttribute(&result->operation, CUBLASLT_MATMUL_DESC_TRANSA, &transposed,
                                             sizeof(transposed)),
            "cublasLtMatmulDescSetAttribute");
    const auto layout = [&](cublasLtMatrixLayoutOpaque_t &of, cudaDataType type, std::int64_t rows,
                            std::int64_t columns, std::int64_t stride) {
        require(f.cublasLtMatrixLayoutInit_internal(&of, sizeof(of), type, size(rows), size(columns), stride),
                "cublasLtMatrixLayoutInit");
    };
    layout(result->weights, CUDA_R_16BF, p.k, p.n, p.k);
    layout(result->a, CUDA_R_16BF, p.k, p.m, p.aStride);
    layout(result->c, p.f32 ? CUDA_R_32F : CUDA_R_16BF, p.n, p.m, p.cStride);

    cublasLtMatmulPreferenceOpaque_t preference;
    require(f.cublasLtMatmulPreferenceInit_internal(&preference, sizeof(preference)),
            "cublasLtMatmulPreferenceInit");
    const auto prefer = [&](cublasLtMatmulPreferenceAttributes_t attribute, const auto &value) {
        require(f.cublasLtMatmulPreferenceSetAttribute(&preference, attribute, &value, sizeof(value)),
                "cublasLtMatmulPreferenceSetAttribute");
    };
    prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t(workspaceBytes));
    for (const auto alignment :
         {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
          CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
        prefer(alignment, std::uint32_t(16));
    cublasLtMatmulHeuristicResult_t found{};
    int count = 0;
    const cublasStatus_t status = f.cublasLtMatmulAlgoGetHeuristic(
        static_cast<cublasLtHandle_t>(m_handle), &result->operation, &result->weights, &result->a, &result->c,
        &result->c, &preference, 1, &found, &count);
    result->possible = status == CUBLAS_STATUS_SUCCESS && count > 0;
    result->algorithm = found.algo;
    return result;
}

bool CublasLt::multiply(const Bf16Product &p, const Stream &stream)
{
    if (m_plans.size() > mostPlans)
        m_plans.clear();
    std::unique_ptr<Plan> &plan = m_plans[{p.m, p.n, p.k, p.aStride, p.cStride, p.f32}];
    if (!plan)
        plan = this->plan(p);
    if (!plan->possible)
        return false;
    const float alpha = 1;
    const float beta = p.accumulate ? 1 : 0;
    require(m_functions->cublasLtMatmul(static_cast<cublasLtHandle_t>(m_handle), &plan->operation, &alpha,
                                        p.weights, &plan->weights, p.a, &plan->a, &beta, p.c, &plan->c, p.c,
                                        &plan->c, &plan->algorithm, m_workspace.as(), workspaceBytes,
                                        stream.get()),
            "cublasLtMatmul");
    return true;
}

} // namespace bathyscope::kernels::cuda

#else

namespace bathyscope::kernels::cuda {

struct CublasLt::Functions { };
struct CublasLt::Plan { };

std::unique_ptr<CublasLt> CublasLt::load(std::string *why)
{
    *why = "built without cublasLt.h";
    return nullptr;
}

CublasLt::~CublasLt() = default;

bool CublasLt::multiply(const Bf16Product &, const Stream &)
{
    return false;
}

} // namespace bathyscope::kernels::cuda

#endif
