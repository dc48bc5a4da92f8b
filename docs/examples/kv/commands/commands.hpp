// SPDX-License-Identifier: BSL-1.0
#pragma once

// The commands of clients: which there are, those that are proposed to the cluster, read out of the state machine, and
// answered by the server that was asked.
#include "command_table.hpp"
#include "membership_commands.hpp"
#include "read_commands.hpp"
#include "server_commands.hpp"
#include "write_commands.hpp"
