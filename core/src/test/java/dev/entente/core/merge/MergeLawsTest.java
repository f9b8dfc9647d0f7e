// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonString;
import java.math.BigDecimal;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A merge function that would not merge alike everywhere is found out before it is used. */
class MergeLawsTest {
  private static SemanticMerge of(Merging merging, Json... examples) {
    return new SemanticMerge() {
      @Override
      public String name() {
        return "test";
      }

      @Override
      public Json merge(Json base, Json left, Json right) {
        return merging.merge(base, left, right);
      }

      @Override
      public List<Json> examples() {
        return List.of(examples);
      }
    };
  }

  private interface Merging {
    Json merge(Json base, Json left, Json right);
  }

  private static String broken(SemanticMerge merge) {
    return MergeLaws.counterexample(merge, List.of()).orElse("");
  }

  @Test
  void theLargerOfTwoPasses() {
    assertThat(broken(of((_, left, right) -> left.compareTo(right) >= 0 ? left : right))).isEmpty();
  }

  @Test
  void whoeverPrefersASideIsShownTheSwappedAnswer() {
    assertThat(broken(of((_, left, _) -> left)))
        .contains("not commutative: merge(")
        .contains("but");
  }

  @Test
  void theMeanIsNotAssociative() {
    SemanticMerge mean =
        of(
            (_, left, right) -> Json.of(number(left).add(number(right)).divide(BigDecimal.TWO)),
            Json.of(4),
            Json.of(8));
    assertThat(broken(mean)).contains("not associative");
  }

  @Test
  void theSumIsNotIdempotent() {
    SemanticMerge sum =
        of((_, left, right) -> Json.of(number(left).add(number(right))), Json.of(4));
    assertThat(broken(sum)).contains("not idempotent: merge(nothing, 4, 4) = 8");
  }

  @Test
  void chanceIsFoundOut() {
    AtomicInteger calls = new AtomicInteger();
    assertThat(broken(of((_, _, _) -> Json.of(calls.incrementAndGet()))))
        .contains("not deterministic");
  }

  @Test
  void whatThrowsIsNamed() {
    SemanticMerge careless =
        of(
            (_, left, _) -> {
              if (left instanceof JsonString) {
                throw new IndexOutOfBoundsException();
              }
              return left;
            },
            Json.of("x"));
    assertThat(broken(careless)).contains("throws IndexOutOfBoundsException");
  }

  @Test
  void whatAnswersNothingNeedsExamples() {
    SemanticMerge picky =
        of((_, _, _) -> {
          throw new SemanticMerge.CannotMergeException("never");
        });
    assertThat(broken(picky)).contains("give it examples");
  }

  @Test
  void recordedValuesFindWhatGeneratedOnesDoNot() {
    SemanticMerge shortSighted =
        of((_, left, right) ->
            left.equals(Json.of("Trondheim")) ? left : left.compareTo(right) >= 0 ? left : right);
    assertThat(broken(shortSighted)).isEmpty();
    assertThat(
            MergeLaws.counterexample(shortSighted, List.of(Json.of("Trondheim"), Json.of("Zug"))))
        .isPresent();
  }

  private static BigDecimal number(Json value) {
    if (value instanceof JsonNumber(BigDecimal number)) {
      return number;
    }
    throw new SemanticMerge.CannotMergeException("not a number");
  }
}
