// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "kernels/cuda/runtime.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace bathyscope::kernels::cuda {

/// A test that needs a card, made current; skipped with the reason where there is none.
class Card : public testing::Test {
protected:
    void SetUp() override
    {
        std::string why;
        if (listDevices(&why).empty())
            GTEST_SKIP() << why;
        device = std::make_unique<Device>(0);
        device->makeCurrent();
    }

    std::unique_ptr<Device> device;
};

} // namespace bathyscope::kernels::cuda
