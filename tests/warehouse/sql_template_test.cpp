#include "warehouse/sql_template.h"

#include <gtest/gtest.h>

#include <random>

#include "support/result_matchers.h"

namespace tillcast::warehouse {
namespace {

using ::testing::HasSubstr;

Result<std::string> render_text(std::string_view source, Dict globals = {},
                                const TemplateLimits& limits = {}) {
  RenderContext context;
  context.globals = std::move(globals);
  context.limits = limits;
  const auto parsed = TILLCAST_TRY_PLAIN(parse_template(source, "t.sql"));
  return render(*parsed, context);
}

struct Case {
  const char* source;
  const char* expected;
};

void expect_all(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const auto rendered = render_text(c.source);
    ASSERT_TRUE(rendered.has_value()) << c.source << ": " << rendered.error().message;
    EXPECT_EQ(*rendered, c.expected) << c.source;
  }
}

// The expected texts of the next five were made with Jinja 3.1 itself.
TEST(SqlTemplate, ExpressionsGiveWhatJinjaGives) {
  expect_all({{"{{ 1 + 2 * 3 }}", "7"},
              {"{{ (1 + 2) * 3 }}", "9"},
              {"{{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }}", "3 -4 2 3.5"},
              {"{{ 2 ** 10 }} {{ -2 ** 2 }}", "1024 4"},
              {"{{ 'a' ~ 1 ~ none }}", "a1None"},
              {"{{ 1 < 2 < 3 }} {{ 1 == 1.0 }} {{ 'a' != 'b' }}", "True True True"},
              {"{{ not true or 'x' }}", "x"},
              {"{{ 0 or '' or 'last' }} {{ 1 and 2 }}", "last 2"},
              {"{{ 'a' in 'abc' }} {{ 2 in [1, 2] }} {{ 'k' in {'k': 1} }} {{ 3 not in [1] }}",
               "True True True True"},
              {"{{ 'yes' if 1 > 2 else 'no' }}{{ 'x' if false }}", "no"},
              {"{{ [1, 'a', none, true, 1.5] }}", "[1, 'a', None, True, 1.5]"},
              {"{{ {'a': {'b': [1, 2]}}.a.b[1] }} {{ [1, 2, 3][-1] }} {{ 'abcd'[1:3] }} {{ [1, 2, 3][:2] }}",
               "2 3 bc [1, 2]"},
              {"{{ 'it\\'s' }} {{ \"q\" 'x' }}", "it's qx"},
              {"{{ 1e3 }} {{ 1_000 }} {{ 0.5 if false else 0.25 }}", "1000.0 1000 0.25"}});
}

TEST(SqlTemplate, StatementsGiveWhatJinjaGives) {
  expect_all(
      {{"{% if 1 > 2 %}a{% elif 2 > 1 %}b{% else %}c{% endif %}", "b"},
       {"{% for x in [1, 2, 3] %}{{ loop.index }}/{{ loop.length }}{{ ',' if not loop.last }}{% endfor %}",
        "1/3,2/3,3/3"},
       {"{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}={{ v }};{% endfor %}", "a=1;b=2;"},
       {"{% for x in range(6) if x % 2 %}{{ x }}{% endfor %}", "135"},
       {"{% for x in [] %}a{% else %}none{% endfor %}", "none"},
       {"{% set x = 1 %}{% for i in [1, 2] %}{% set x = i %}{% endfor %}{{ x }}", "1"},
       {"{% set ns = namespace(n=0) %}{% for i in [1, 2] %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}",
        "3"},
       {"{% set a, b = 1, 2 %}{{ b }}{{ a }}", "21"},
       {"{% set block %}x{{ 1 }}{% endset %}[{{ block }}]", "[x1]"},
       {"{% set l = [1] %}{% do l.append(2) %}{{ l | length }}", "2"},
       {"a{# comment {{ x }} #}b", "ab"},
       {"{% raw %}{{ x }}{% endraw %}", "{{ x }}"},
       {"a  {%- if true -%}  b  {%- endif %}  c", "ab  c"},
       {"a\n  {{- 1 -}}\n b", "a1b"},
       {"line\n", "line"},
       {"line\n\n", "line\n"}});
}

TEST(SqlTemplate, FiltersAndTestsGiveWhatJinjaGives) {
  expect_all(
      {{"{{ 'aB' | upper }}{{ 'aB' | lower }}{{ ' x ' | trim }}", "ABabx"},
       {"{{ ['a', 'b'] | join(', ') }} {{ 'a,b'.split(',') | last }} {{ [3, 1] | sort | first }}",
        "a, b b 1"},
       {"{{ 'aXbX' | replace('X', '--') }} {{ missing | default('d') }} {{ '' | default('e', true) }}",
        "a--b-- d e"},
       {"{{ 'abc' | length }} {{ '12' | int + 1 }} {{ 'x' | int(7) }} {{ '1.5' | float }} {{ 12 | string ~ "
        "'' }}",
        "3 13 7 1.5 12"},
       {"{{ {'a': [1, none, true], 'b': 'q\"'} | tojson }}", "{\"a\": [1, null, true], \"b\": \"q\\\"\"}"},
       {"{{ [1, 2, 2] | unique | list }} {{ [1, 2] | sum }} {{ [1, 2] | reverse | list }}",
        "[1, 2] 3 [2, 1]"},
       {"{{ [{'n': 1}, {'n': 2}] | map(attribute='n') | join('+') }} {{ ['a'] | map('upper') | first }}",
        "1+2 A"},
       {"{{ none is none }} {{ x is defined }} {{ 1 is not none }} {{ 'a' is string }} {{ 2 is even }}",
        "True False True True True"},
       {"{{ 'a' is in ['a'] }} {{ {} is mapping }} {{ 3.7 | round | int }} {{ -3 | abs }}",
        "True True 4 3"}});
}

TEST(SqlTemplate, MacrosTakeDefaultsNamesAndReturnValues) {
  expect_all(
      {{"{% macro m(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(b=4, a=5) }}",
        "1-2 1-3 5-4"},
       {"{% macro f(x) %}{% if x %}{{ return([1, 2]) }}{% endif %}text{% endmacro %}{{ f(true)[1] }}{{ "
        "f(false) }}",
        "2text"},
       {"{% macro default__x(a) %}d{{ a }}{% endmacro %}{% macro duckdb__x(a) %}k{{ a }}{% endmacro %}{{ "
        "adapter.dispatch('x')(1) }}",
        "k1"},
       {"{% macro tillcast__x() %}t{% endmacro %}{% macro duckdb__x() %}k{% endmacro %}{{ "
        "adapter.dispatch('x', 'p')() }}",
        "t"},
       {"{% macro r(n) %}{{ n }}{% if n > 0 %}{{ r(n - 1) }}{% endif %}{% endmacro %}{{ r(3) }}", "3210"}});
}

TEST(SqlTemplate, ErrorsNameTheirPlace) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"a\n{{ x }}", "t.sql:2:4: 'x' is undefined"},
      {"{{ 1 +\n\n }}", "t.sql:3:2: expected an expression, found '}}'"},
      {"{% if 1 %}\nx", "t.sql:1:1: this if is not ended: expected '{% endif %}', found the end of the file"},
      {"{% for x in y %}{% endif %}",
       "t.sql:1:1: this for is not ended: expected '{% endfor %}', found '{% endif %}'"},
      {"x {% endif %}", "found 'endif' but no block that it ends is open"},
      {"ab {{ 'x }}", "t.sql:1:7: this string is not closed"},
      {"{{ a", "t.sql:1:1: this tag is not closed: expected '}}'"},
      {"{# a", "t.sql:1:1: this comment is not closed"},
      {"{{ 1 $ 2 }}", "t.sql:1:6: unexpected character '$'"},
      {"{% include 'x' %}", "t.sql:1:1: the tag 'include' is not supported"},
      {"{{ 1 / 0 }}", "t.sql:1:6: division by zero"},
      {"{{ 'a' + 1 }}", "needs a number here (use ~ to join text), found string"},
      {"{{ 1 | nofilter }}", "t.sql:1:6: there is no filter 'nofilter'"},
      {"{{ 9223372036854775807 + 1 }}", "does not fit 64 bits"},
      {"{{ nothing(1) }}", "'nothing' is undefined: there is no such function or macro"},
      {"{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "macro m takes 1 arguments, found 2"},
      {"{% macro m(a) %}{% endmacro %}{{ m(b=2) }}", "macro m has no parameter 'b'"},
      {"{{ f(*x) }}", "unpacking with * or ** is not supported"},
      {"{% macro m() %}\n{{ y }}{% endmacro %}\n{{ m() }}",
       "t.sql:2:4: 'y' is undefined\n  in macro m, called at t.sql:3:5"}};
  for (const auto& [source, message] : cases) {
    const auto rendered = render_text(source);
    ASSERT_FALSE(rendered.has_value()) << source;
    EXPECT_EQ(rendered.error().code, ErrorCode::kInvalidInput);
    EXPECT_THAT(rendered.error().message, HasSubstr(message)) << source;
  }
}

TEST(SqlTemplate, LimitsStopEveryRunawayTemplate) {
  TemplateLimits limits;
  limits.steps_max = 200'000;
  limits.output_bytes_max = 100'000;
  limits.value_weight_max = 50'000;
  for (const char* source : {
           "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
           "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
           "{{ range(100000000000) }}",
           "{{ 'x' * 1000000000000 }}",
           "{% set s = 'xxxxxxxxxx' %}{% set ns = namespace(s=s) %}{% for i in range(60) %}{% set ns.s = "
           "ns.s ~ ns.s %}{% endfor %}",
           "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor "
           "%}{{ ns.l }}",
           "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
           "{% set ns = namespace(l=[]) %}{% for i in range(60) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l "
           "}}",
           "{% for i in range(20000) %}0123456789{% endfor %}",
           "{{ ('x' * 50000) | replace('x', 'yyyyyyyyyy') }}",
       }) {
    const auto rendered = render_text(source, {}, limits);
    ASSERT_FALSE(rendered.has_value()) << source;
    EXPECT_THAT(rendered.error().message, HasSubstr("t.sql:1:")) << source;
  }
  EXPECT_ERROR(render_text("{{ " + std::string(5000, '(') + "1" + std::string(5000, ')') + " }}"),
               ErrorCode::kInvalidInput, "nested more than 100 deep");
  std::string chain = "{{ 1";
  for (int i = 0; i < 5000; ++i) chain += " + 1";
  EXPECT_ERROR(render_text(chain + " }}"), ErrorCode::kInvalidInput, "nested more than 100 deep");
  std::string blocks;
  for (int i = 0; i < 5000; ++i) blocks += "{% if 1 %}";
  EXPECT_ERROR(render_text(blocks), ErrorCode::kInvalidInput, "nested more than 30 deep");
}

TEST(SqlTemplate, EveryPrefixAndMutationEndsWithAResult) {
  const std::string whole =
      "{% macro m(a, b=[1, {'k': 'v'}]) -%} {{ a ~ b[1].k | upper }} {%- endmacro %}\n"
      "select {% for c in ['x', 'y'] if c is not none %}{{ m(c) }}{{ ', ' if not loop.last else '' }}{% "
      "endfor %}\n"
      "{# note #}{% set n = 1 + 2 * -3 %}{% if n < 0 and not false %}where {{ n }}{% else %}{% raw %}{{{% "
      "endraw %}{% endif %}";
  ASSERT_OK(render_text(whole));
  for (std::size_t length = 0; length < whole.size(); ++length)
    (void)render_text(whole.substr(0, length)).has_value();
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string_view alphabet = "{}%#-|()[]'\",.:=+*/~<> \nabx01";
  for (int round = 0; round < 3000; ++round) {
    std::string changed = whole;
    for (int edit = 0; edit < 4; ++edit)
      changed[random() % changed.size()] = alphabet[random() % alphabet.size()];
    const auto rendered = render_text(changed);
    if (!rendered) {
      EXPECT_THAT(rendered.error().message, HasSubstr("t.sql:")) << changed;
    }
  }
}

TEST(SqlTemplate, ValuesDoNotChangeUnderTheirOtherNames) {
  expect_all({{"{% set a = [1] %}{% set b = a %}{% do b.append(2) %}{{ a }}{{ b }}", "[1][1, 2]"},
              {"{% set d = {'l': [1]} %}{% do d.l.append(2) %}{% do d.update({'x': 3}) %}{{ d }}",
               "{'l': [1, 2], 'x': 3}"}});
}

TEST(SqlTemplate, NearestNameFindsTyposOnly) {
  EXPECT_EQ(nearest_name("dim_prodct", {"dim_date", "dim_product"}), "dim_product");
  EXPECT_EQ(nearest_name("completely_else", {"dim_date", "dim_product"}), "");
}

}  // namespace
}  // namespace tillcast::warehouse
