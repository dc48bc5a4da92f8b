// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace totora::inline v0::simulate
{

/// The first property of a run that was violated, in words.
class FirstViolation
{
public:
    [[nodiscard]] std::string const& broken() const { return broken_; }

    /// Reports a violation; only the first report counts.
    void fail(std::string_view what)
    {
        if (broken_.empty())
            broken_ = what;
    }

    void expect(bool holds, std::string_view what)
    {
        if (not holds)
            fail(what);
    }

    void expect_no(std::optional<std::string_view> violation)
    {
        if (violation)
            fail(*violation);
    }

private:
    std::string broken_;
};

} // namespace totora::inline v0::simulate
