// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/id_source.h"

#include <algorithm>
#include <chrono>
#include <random>

namespace bathyscope::storage {

namespace {
constexpr int kSaltBits = 20;
}

IdSource::IdSource(std::int64_t after)
    : m_last(after)
    , m_salt(static_cast<std::int64_t>(std::random_device{}() & ((1U << kSaltBits) - 1U)))
{
}

std::int64_t IdSource::next()
{
    using namespace std::chrono;
    const std::int64_t now = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
    const std::int64_t wanted = (now << kSaltBits) | m_salt;
    std::int64_t last = m_last.load();
    std::int64_t id = 0;
    do
        id = std::max(wanted, last + 1);
    while (!m_last.compare_exchange_weak(last, id));
    return id;
}

void IdSource::startAfter(std::int64_t id)
{
    std::int64_t last = m_last.load();
    while (last < id && !m_last.compare_exchange_weak(last, id)) { }
}

} // namespace bathyscope::storage
