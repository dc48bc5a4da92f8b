// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace totora::inline v0::simulate
{

/// The first property of a run that did not hold, as a sentence.
class FirstViolation
{
public:
    [[nodiscard]] std::string const& broken() const { return broken_; }

    /// Reports that something does not hold; only the first report counts.
    void fail(std::string_view sentence)
    {
        if (broken_.empty())
            broken_ = sentence;
    }

    void expect(bool holds, std::string_view sentence)
    {
        if (not holds)
            fail(sentence);
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
