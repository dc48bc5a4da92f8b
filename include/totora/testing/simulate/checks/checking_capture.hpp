// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/policy/snapshot_machine.hpp"
#include "totora/testing/simulate/burdens.hpp"
#include "totora/testing/simulate/faults/snapshot_faults.hpp"

#include <cstdint>
#include <utility>

namespace totora::inline v0::simulate
{

/// What a checking machine has captured: memory may run out while it is written. In parts only if it is told so, and has parts.
template <snapshot_capture Base>
class CheckingCapture
{
public:
    CheckingCapture(Base base, Burdens& burdens, bool in_parts)
        : base_(std::move(base)), burdens_(&burdens), in_parts_(in_parts)
    {}

    void write(SnapshotSink& sink) const
    {
        burdens_->call(SnapshotCall::write);
        burdens_->write_part();
        base_.write(sink);
    }

    [[nodiscard]] bool write_part(SnapshotSink& sink, std::uint64_t part) const
    {
        burdens_->call(SnapshotCall::write);
        burdens_->write_part();
        if constexpr (requires { base_.write_part(sink, part); })
            if (in_parts_)
                return base_.write_part(sink, part);
        base_.write(sink);
        return false;
    }

private:
    Base     base_;
    Burdens* burdens_;
    bool     in_parts_;
};

/// The capture of a checking machine over `Machine`; none if that has none.
template <typename Machine>
struct CapturesOf
{
    using Capture = void;
};

template <snapshot_machine Machine>
struct CapturesOf<Machine>
{
    using Capture = CheckingCapture<typename Machine::Capture>;
};

} // namespace totora::inline v0::simulate
