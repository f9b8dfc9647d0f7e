// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cel.common.values.NullValue;
import dev.entente.core.policy.CelConditions.About;
import dev.entente.core.policy.Condition.ConditionException;
import dev.entente.core.resolve.ConflictType;
import dev.entente.core.resolve.RowConflict;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Expressions fail where CEL says that they fail, however deep the error lies. */
final class CelConditionsTest {
  private static final Map<String, ?> DATA =
      Map.of(
          "data",
          Map.of(
              "a",
              1L,
              "t",
              true,
              "f",
              false,
              "s",
              "text",
              "n",
              NullValue.NULL_VALUE,
              "l",
              List.of(1L, 2L, 3L),
              "e",
              List.of(),
              "m",
              Map.of("k", 1L, "t", "x"),
              "d",
              1.5));

  private static Condition compiled(String source) {
    try {
      return CelConditions.compile(source, About.RECORD);
    } catch (PolicyProblem.Unacceptable e) {
      throw new AssertionError(source + ": " + e.getMessage(), e);
    }
  }

  private static boolean holds(String source) {
    return compiled(source).holds(DATA);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        // The error by itself
        "data.nope",
        "data.nope > 3",
        "data.s > 3",
        "1 / (data.a - 1) == 1",
        "data.l[7] == 1",
        "int(data.s) == 1",
        // in && and ||, which may recover from an error only by their other operand
        "data.t && data.nope > 3",
        "data.nope > 3 && data.t",
        "data.f || data.nope > 3",
        "data.nope > 3 || data.f",
        // A logical operator with an error in other operators
        "(data.t && data.nope > 3) == false",
        "(data.t && data.nope > 3) != true",
        "false == (data.nope > 3 && data.t)",
        "(data.f || data.nope > 3) == false",
        "(data.nope > 3 || data.f) != true",
        "!(data.t && data.nope > 3)",
        "!!(data.f || data.nope > 3)",
        "(data.t && data.nope > 3) in [true, false]",
        "true in [data.t && data.nope > 3]",
        "[data.t && data.nope > 3] == [false]",
        "[data.f || data.nope > 3] != [true]",
        "size([data.t && data.nope > 3]) == 1",
        "{'k': data.t && data.nope > 3} != {'k': true}",
        "{'k': data.t && data.nope > 3}.k == false",
        "size({'k': data.t && data.nope > 3}) == 1",
        "has({'k': data.t && data.nope > 3}.k)",
        "{(data.t && data.nope > 3): 1} == {true: 1}",
        "string(data.t && data.nope > 3) != 'true'",
        "dyn(data.t && data.nope > 3) != true",
        "type(data.t && data.nope > 3) == bool",
        "(data.t && data.nope > 3) ? false : true",
        "((data.t && data.nope > 3) ? 1 : 2) == 2",
        "(data.t ? data.nope > 3 : true) != true",
        "(data.f ? true : data.nope > 3) != true",
        "(data.t ? (data.t && data.nope > 3) : true) != true",
        "[1, 2][(data.t && data.nope > 3) ? 0 : 1] == 2",
        "((data.t && data.nope > 3) || data.f) == false",
        "((data.f || data.nope > 3) && data.t) == false",
        "(data.t && (data.f || data.nope > 3)) != true",
        // Macros: in the range, in the body, as a whole in other operators
        "data.nope.all(x, true)",
        "data.l.all(x, x > data.nope)",
        "data.l.all(x, x > data.nope) == false",
        "data.l.all(x, x > data.nope) != true",
        "!data.l.all(x, x > data.nope)",
        "data.l.all(x, data.t && x > data.nope) == false",
        "[data.l.all(x, x > data.nope)] == [false]",
        "{'k': data.l.exists(x, x > data.nope)}.k == false",
        "data.l.exists(x, x > data.nope)",
        "data.l.exists(x, x > data.nope) == false",
        "!data.l.exists(x, x > data.nope)",
        "data.l.exists_one(x, x > data.nope) == false",
        "data.l.exists_one(x, data.t && x > data.nope) == false",
        "data.l.map(x, x + data.nope) == []",
        "data.l.map(x, data.t && x > data.nope) != [true]",
        "size(data.l.map(x, data.t && x > data.nope)) == 3",
        "size(data.l.filter(x, data.t && x > data.nope)) == 0",
        "size(data.l.filter(x, x > data.nope)) == 0",
        "data.l.map(x, data.t && x > data.nope, x) == []",
        "data.l.all(x, data.l.exists(y, y > data.nope)) == false",
        "(data.l.all(x, x > data.nope) ? 1 : 2) == 2",
        "size(data.nope.map(x, x)) == 0",
        "data.s.matches(data.s + '(') == false",
        "timestamp(data.s) == timestamp('2026-01-01T00:00:00Z')",
        "duration(data.s) == duration('1s')",
        "day(data.s, 'UTC') != ''",
        "[day(data.s, 'UTC')] != []",
      })
  void errorsStayErrorsHoweverTheyAreNested(String source) {
    Condition condition = compiled(source);
    assertThatThrownBy(() -> holds(condition.source())).isInstanceOf(ConditionException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "data.a == 1 && data.t && !data.f && data.n == null && data.d == 1.5",
        "(data.f && data.nope > 3) == false",
        "(data.nope > 3 && data.f) == false",
        "data.t || data.nope > 3",
        "(data.nope > 3 || data.t) == true",
        "!(data.f && data.nope > 3)",
        "data.t ? true : data.nope > 3",
        "!data.l.all(x, x > 2 || x / 0 > 1 && x < 0) || true",
        "data.l.exists(x, x == 3 || x > data.a && x / 0 > 1) || true",
        "data.l.exists(x, x == 2)",
        "data.l.all(x, x > 0)",
        "data.l.exists_one(x, x == 2)",
        "data.l.map(x, x * 2) == [2, 4, 6]",
        "data.l.filter(x, x > 1) == [2, 3]",
        "data.e.all(x, x > data.nope)",
        "!data.e.exists(x, x > data.nope)",
        "has(data.m.k) && !has(data.m.other) && !has(data.nope)",
        "'k' in data.m && !('z' in data.m)",
        "data.a < 1.5",
        "data.m.k < 1.5",
        "1.5 > data.a",
        "data.d > 1",
        "data.l[0] < 1.5",
        "data.l.all(x, x < 3.5)",
        "data.m['k'] <= data.d",
        "data.m['k'] + data.l[1] == 3 && data['s'] + data.m.t == 'textx'",
        "data.m['k'] == 1 && data['d'] * 2.0 == 3.0 && -data['m']['k'] == -1",
        "data.m.k == data.a && data.m['k'] < 1.5 && data.a <= data.d",
        "data.s.startsWith('te') && data.s.endsWith('xt') && data.s.contains('ex')",
        "data.s.matches('^t.*t$') && size(data.s) == 4 && size(data.l) == 3",
        "data.s + 'x' == 'textx' && data.l + [4] == [1, 2, 3, 4]",
        "type(data.a) == int && type(data.d) == double && type(data.n) == null_type",
        "day('2026-03-01T04:00:00Z', 'America/Chicago') == '2026-02-28'",
        "{'a': [1, data.a], 'b': {'c': data.s}} == {'a': [1, 1], 'b': {'c': 'text'}}",
        "data.a in data.l && !(7 in data.l)",
        "data.a == 1.0 && data.a != 'one' && data.l[0] == 1",
        "string(data.a) == '1' && int(data.d) == 1 && double(data.a) < data.d",
        "timestamp('2026-01-01T00:00:00Z') - duration('1h') < timestamp('2026-01-01T00:00:00Z')",
      })
  void whatCanBeEvaluatedIs(String source) {
    assertThat(holds(source)).as(source).isTrue();
  }

  @Test
  void anErrorNamesTheOperandThatFailed() {
    assertThatThrownBy(() -> holds("(data.t && data.m.nope > 3) == false"))
        .hasMessageContaining("data.m.nope: ")
        .hasMessageContaining("nope");
    assertThatThrownBy(() -> holds("data.l.all(x, x / (data.a - 1) == 1) != true"))
        .hasMessageContaining("x / (data.a - 1): ");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "conflict.servity >= severity.HIGH",
        "conflict.severity >= severity.HIHG",
        "has(conflict.serverity)",
        "conflict.severity == 'HIGH'",
        "conflict.complexity > 'much'",
        "conflict.nodes.exists(n, n == 3)",
        "conflict.count + 'x' == ''",
        "conflict",
        "conflit.severity > 1",
        "conflict.type == 'invariant-violaton'",
        "'resource-contension' != conflict.type",
        "conflict.type in ['semantic', 'semantik']",
        "conflict.row == 'update-deletd'",
        "severity.HIGH.x == 1",
        "conflict['servity'] == 1",
      })
  void misspeltMembersAndValuesOfConflictsAreErrorsWhenTheExpressionIsLoaded(String source) {
    assertThatThrownBy(() -> CelConditions.compile(source, About.CONFLICT))
        .isInstanceOf(PolicyProblem.Unacceptable.class);
  }

  @Test
  void errorsOfNamesSuggestTheNearestKnownOne() {
    assertThatThrownBy(() -> CelConditions.compile("conflict.servity > 1", About.CONFLICT))
        .hasMessageContaining("conflict has no member servity; did you mean severity?");
    assertThatThrownBy(() -> CelConditions.compile("conflict.type == 'semantc'", About.CONFLICT))
        .hasMessageContaining("semantc is no value of conflict.type; did you mean semantic?");
  }

  @Test
  void theKnownValuesAreThoseThatConflictsHave() {
    assertThat(CelTypes.CONFLICT_TYPES)
        .containsExactlyInAnyOrderElementsOf(
            Stream.of(ConflictType.values()).map(ConflictType::label).toList());
    assertThat(CelTypes.ROWS)
        .containsExactlyInAnyOrderElementsOf(
            Stream.of(RowConflict.values()).map(RowConflict::label).toList());
  }

  @Test
  void allMembersOfConflictsAreTyped() throws Exception {
    Map<String, ?> facts =
        Map.of(
            "conflict",
            Map.of(
                "type",
                "semantic",
                "severity",
                3L,
                "complexity",
                0.4,
                "row",
                "update-differing",
                "unit",
                "v",
                "count",
                2L,
                "values",
                List.of(1L, "x"),
                "authors",
                List.of("ann", "bob"),
                "nodes",
                List.of("eu", "us"),
                "base",
                7L),
            "severity",
            Map.of("LOW", 1L, "MEDIUM", 2L, "HIGH", 3L, "CRITICAL", 4L));
    String source =
        "conflict.type == 'semantic' && conflict.severity >= severity.HIGH && conflict.complexity <"
            + " 1 && conflict.row in ['update-differing'] && conflict.unit == 'v' && conflict.count"
            + " == 2 && conflict.values[0] < 2.5 && 'ann' in conflict.authors && conflict.base == 7"
            + " && conflict.nodes.exists(n, n == 'eu') && has(conflict.base)";
    assertThat(CelConditions.compile(source, About.CONFLICT).holds(facts)).isTrue();
  }

  /** Each would take minutes, or the memory of the node, if it were not stopped. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "data.l.all(x, size(data.s + data.s + data.s + data.s + data.s + data.s) > 0)",
        "data.l.all(x, data.s == data.s + '')",
        "data.l.all(x, !data.s.contains('y'))",
        "data.l.all(x, !data.s.matches('(a|b|c)+y$'))",
        "data.l.all(x, data.l == data.l)",
        "data.l.all(x, !(-1 in data.l))",
        "data.l.all(x, string(data.s) != '')",
        "data.l.all(x, size(data.s) > 0)",
        "data.l.all(x, data.l.all(y, data.l.all(z, x + y + z >= 0)))",
        "data.l.map(x, data.l) == data.l.map(x, data.l)",
        "data.l.all(x, !data.s.startsWith('y')) || true",
        "data.l.exists(x, data.s > data.s + 'a') || true",
      })
  void theCostOfAStepIsTheSizeOfWhatItTouches(String source) {
    Map<String, ?> data =
        Map.of(
            "data",
            Map.of(
                "s", "x".repeat(150_000),
                "l", LongStream.range(0, 4_000).boxed().toList()));
    Condition condition = compiled(source);
    long began = System.nanoTime();
    assertThatThrownBy(() -> condition.holds(data))
        .isInstanceOf(ConditionException.class)
        .hasMessageMatching("(?s).*(units of work|Iteration budget exceeded).*");
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(2));
  }

  @Test
  void deeplyNestedExpressionsAreErrors() {
    for (String open :
        List.of("(", "[", "!", "-", "[[", "{'a':", "f(", "data.l.all(x,", "a?", "x.")) {
      String source = open.repeat(3_900 / open.length());
      assertThatThrownBy(() -> CelConditions.compile(source, About.RECORD))
          .as(open)
          .isInstanceOf(PolicyProblem.Unacceptable.class);
    }
    String closed = "(".repeat(1_900) + "true" + ")".repeat(1_900);
    assertThatThrownBy(() -> CelConditions.compile(closed, About.RECORD))
        .isInstanceOf(PolicyProblem.Unacceptable.class);
  }

  /** Long chains are deep trees although nothing in them looks nested. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "1+ 1>0",
        "data.a+ 1>0",
        "data.t&& true",
        "data.t|| true",
        "data.t?true: true",
        "1- 1>0",
        "data.s+ 'a'!=''"
      })
  void longChainsAreEvaluatedOrRefusedWithoutEndingTheThread(String chain) throws Exception {
    String link = chain.substring(0, chain.indexOf(' '));
    String source = link.repeat(3_900 / link.length()) + chain.substring(chain.indexOf(' '));
    Throwable[] thrown = new Throwable[1];
    Thread small =
        Thread.ofPlatform()
            .start(() -> {
              try {
                CelConditions.compile(source, About.RECORD).holds(DATA);
              } catch (PolicyProblem.Unacceptable | ConditionException _) {
                // Refused, which is an answer.
              } catch (Throwable e) {
                thrown[0] = e;
              }
            });
    small.join();
    assertThat(thrown[0]).isNull();
  }

  @Test
  void deeplyNestedPolicyFilesAreErrors() {
    for (String open : List.of("[", "{a: ", "- ", "? ")) {
      assertThatThrownBy(() -> PolicyLoader.load("type: t\nfields: " + open.repeat(5_000)))
          .as(open)
          .isInstanceOf(PolicyProblem.PolicyException.class);
      assertThatThrownBy(() -> PolicyLoader.load(open.repeat(5_000)))
          .as(open)
          .isInstanceOf(PolicyProblem.PolicyException.class);
    }
    assertThatThrownBy(
            () -> PolicyLoader.load("type: t\nfields: " + "[".repeat(5_000) + "]".repeat(5_000)))
        .hasMessageContaining("nested at most");
  }

  @Test
  void aPolicyInForceIsLoadedThoughItsConditionsWereNotTyped() throws Exception {
    String text =
        "type: t\nrules:\n  - {name: a, when: 'conflict.servity > 2', then: last-writer-wins}\n";
    assertThatThrownBy(() -> PolicyLoader.load(text)).hasMessageContaining("line 3");
    PolicyLoader.Loaded loaded = PolicyLoader.loadInForce(text);
    assertThat(loaded.policy().rules()).hasSize(1);
    assertThat(loaded.warnings().toString()).contains("line 3").contains("servity");
    assertThatThrownBy(() -> PolicyLoader.loadInForce(text.replace("conflict", "conflit")))
        .isInstanceOf(PolicyProblem.PolicyException.class);
  }

  @Test
  void severalExpressionsShareOneBudget() {
    Map<String, ?> data = Map.of("data", Map.of("l", LongStream.range(0, 4_000).boxed().toList()));
    Condition condition = compiled("data.l.all(x, x + x + x + x + x + x + x + x >= 0)");
    Work work = Work.forAll();
    int times = 0;
    try {
      while (times < 1_000) {
        condition.holds(data, work);
        times++;
      }
    } catch (ConditionException e) {
      assertThat(e).hasMessageContaining("units of work");
    }
    assertThat(times).isBetween(10, 200);
  }

  @Test
  void whatAMergeExpressionMakesIsChargedBeforeItIsCopied() throws Exception {
    Condition condition =
        CelConditions.compile(
            "[left, left, left].map(a, [a, a, a, a].map(b, [b, b, b, b].map(c, [c, c, c, c])))",
            About.MERGE);
    List<Long> large = LongStream.range(0, 4_000).boxed().toList();
    assertThatThrownBy(() -> condition.value(Map.of("base", 1L, "left", large, "right", 1L)))
        .isInstanceOf(ConditionException.class)
        .hasMessageContaining("units of work");
  }
}
