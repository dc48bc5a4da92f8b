// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/step.hpp"
#include "totora/node/driver.hpp"
#include "totora/node/raft_node.hpp"
