// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/session/backend.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace bathyscope::app {

/// What the fake engine answers, and what it was asked; shared with the test.
struct FakeScript {
    std::vector<std::string> reasoning{"First", " second", " third", "."};
    std::vector<std::string> answer{"It", " is", " **4", "2**", "."};
    /// Goes on with the answer until it is stopped.
    std::atomic<bool> endless = false;
    /// Throws Error with this text instead of answering.
    std::string failure;

    std::vector<Request> requests() const;
    void addRequest(const Request &request);

private:
    mutable std::mutex m_mutex;
    std::vector<Request> m_requests;
};

/// A backend that says what its script holds, with two candidates and one expert in each of two layers.
std::unique_ptr<Backend> makeFakeBackend(std::shared_ptr<FakeScript> script);

} // namespace bathyscope::app
