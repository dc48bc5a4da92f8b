// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/data/attempt.hpp"
#include "totora/node/snapshots/has_snapshots.hpp"
#include "totora/policy/snapshot_machine.hpp"
#include "totora/testing/conformance/applied_commands.hpp"
#include "totora/testing/conformance/snapshot/machine_bytes.hpp"
#include "totora/testing/conformance/violations.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0::conformance
{

/// Captures and restores machines for their checks: records the calls, and the laws that are broken meanwhile.
template <typename Machine>
class SnapshotMachineUser
{
public:
    using Capture = typename Refined<TakesCaptures, Machine>::Capture;
    using Bytes = std::vector<std::byte>;

    /// A part more than any capture has.
    static constexpr std::uint64_t parts_max = 100'000;

    explicit SnapshotMachineUser(Violations& violations) : violations_(violations) {}

    /// Nothing if it threw.
    [[nodiscard]] std::optional<Capture> capture(Machine& machine)
    {
        auto captured = std::optional<Capture>{};
        calls("capture()", [&] { captured.emplace(std::as_const(refined<TakesCaptures>(machine)).capture()); });
        return captured;
    }

    /// All that a capture writes; nothing if it threw.
    [[nodiscard]] std::optional<Bytes> write(Capture const& capture)
    {
        auto sink = GatheredBytes{};
        if (not calls("write()", [&] { capture.write(sink); }))
            return std::nullopt;
        return std::move(sink.bytes);
    }

    /// The same in parts, with `between` after each.
    template <typename Between>
    [[nodiscard]] std::optional<Bytes> write_parts(Capture const& capture, Between between)
    {
        auto sink = GatheredBytes{};
        auto part = std::uint64_t{0};
        for (auto more = true; more; ++part) {
            auto const line = "write_part(" + std::to_string(part) + ")";
            if (not calls(line, [&] { more = capture.write_part(static_cast<SnapshotSink&>(sink), part); }))
                return std::nullopt;
            between();
            if (part < parts_max)
                continue;
            violations_.expect(false, "parts come to an end", "There are more than " + std::to_string(part) + ".");
            return std::nullopt;
        }
        return std::move(sink.bytes);
    }

    enum class End
    {
        restored,
        refused,
        threw,
    };

    /// Restores a machine; if it refuses, it must say why.
    [[nodiscard]] End
    restore(Machine& machine, std::span<std::byte const> bytes, std::optional<std::uint32_t> format = std::nullopt)
    {
        auto&      restoring = refined<TakesCaptures>(machine);
        auto       source = BytesSource{bytes, format.value_or(restoring.snapshot_format())};
        auto       refusal = std::optional<std::string>{};
        auto const line = "restore(), from " + std::to_string(bytes.size()) + " bytes" +
                          (format ? " of the format " + std::to_string(*format) : "");
        if (not calls(line, [&] { refusal = restoring.restore(source); }))
            return End::threw;
        violations_.expect(not refusal or not refusal->empty(), "a refusal is in words",
                           "restore() changed nothing, and does not say why.");
        return refusal ? End::refused : End::restored;
    }

private:
    template <typename Act>
    bool calls(std::string const& line, Act act)
    {
        violations_.call(line);
        auto const thrown = attempt("The machine", act);
        violations_.expect(not thrown, "capture, write and restore do not throw", thrown.value_or(""));
        return not thrown;
    }

    Violations& violations_;
};

} // namespace totora::inline v0::conformance
