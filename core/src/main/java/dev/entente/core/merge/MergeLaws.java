// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.merge;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonBool;
import dev.entente.core.json.JsonNull;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonPrinter;
import dev.entente.core.json.JsonString;
import dev.entente.core.merge.SemanticMerge.CannotMergeException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Tries a merge function on values and looks for one that breaks a law: the same answer every time,
 * whichever side is left, in whichever order three are merged, and a value merged with itself is
 * that value. The values are examples, recorded ones, and variations of both; which, is fixed, so
 * that every node comes to the same verdict.
 */
public final class MergeLaws {
  /** Triples of these are tried, so the cost grows with the cube. */
  private static final int VALUES_MAX = 20;

  private static final int BASES_MAX = 3;
  private static final int MEMBERS_MAX = 4;

  private static final List<Json> ORDINARY =
      List.of(
          Json.of(0),
          Json.of(1),
          Json.of(-1),
          Json.of(2.5),
          Json.of(""),
          Json.of("a"),
          Json.of("b"),
          Json.of(true),
          Json.of(false),
          Json.of(List.of(1)),
          Json.of(List.of(2, 1)),
          Json.of(java.util.Map.of("a", 1)),
          Json.of(java.util.Map.of("b", 2)),
          Json.of(java.util.Map.of("a", 2, "b", 1)));

  private final SemanticMerge merge;
  private final List<Json> values;
  private final List<Json> bases = new ArrayList<>();
  private boolean answered;

  private MergeLaws(SemanticMerge merge, List<Json> values) {
    this.merge = merge;
    this.values = values;
    bases.add(JsonAbsent.ABSENT);
    values.stream().limit(BASES_MAX - 1).forEach(bases::add);
  }

  /**
   * A law that the function breaks, with the values and both answers; empty where none was found.
   *
   * @param recorded values that competed in earlier conflicts
   */
  public static Optional<String> counterexample(SemanticMerge merge, List<Json> recorded) {
    Set<Json> values = new LinkedHashSet<>(merge.examples());
    values.addAll(recorded);
    values.remove(JsonAbsent.ABSENT);
    List<Json> originals = values.stream().limit(VALUES_MAX / 2).toList();
    values = new LinkedHashSet<>(originals);
    for (Json original : originals) {
      values.addAll(variations(original));
    }
    if (values.isEmpty()) {
      values.addAll(ORDINARY);
    }
    return new MergeLaws(merge, values.stream().limit(VALUES_MAX).toList()).firstBroken();
  }

  private Optional<String> firstBroken() {
    for (Json base : bases) {
      for (Json left : values) {
        for (Json right : values) {
          Optional<String> broken = ofTwo(base, left, right);
          if (broken.isPresent()) {
            return broken;
          }
        }
      }
      for (Json left : values) {
        for (Json middle : values) {
          for (Json right : values) {
            Optional<String> broken = associative(base, left, middle, right);
            if (broken.isPresent()) {
              return broken;
            }
          }
        }
      }
    }
    return answered
        ? Optional.empty()
        : Optional.of("it has no answer to any two of the values tried; give it examples");
  }

  private Optional<String> ofTwo(Json base, Json left, Json right) {
    Answer answer = ask(base, left, right);
    answered |= answer.value != null;
    Answer again = ask(base, left, right);
    if (!answer.equals(again)) {
      return broken("not deterministic", base, answer, again, left, right);
    }
    if (answer.failure != null && !answer.failure.isEmpty()) {
      return Optional.of("it fails: " + call(base, left, right) + " throws " + answer.failure);
    }
    Answer swapped = ask(base, right, left);
    if (!answer.equals(swapped)) {
      return broken("not commutative", base, answer, swapped, left, right);
    }
    if (left.equals(right) && answer.value != null && !answer.value.equals(left)) {
      return Optional.of("not idempotent: " + call(base, left, left) + " = " + answer);
    }
    return Optional.empty();
  }

  private Optional<String> broken(
      String law, Json base, Answer answer, Answer other, Json left, Json right) {
    return Optional.of(
        law
            + ": "
            + call(base, left, right)
            + " = "
            + answer
            + ", but "
            + (law.equals("not commutative") ? call(base, right, left) : "again")
            + " = "
            + other);
  }

  private Optional<String> associative(Json base, Json left, Json middle, Json right) {
    @Nullable Json first = ask(base, left, middle).value;
    @Nullable Json last = ask(base, middle, right).value;
    if (first == null || last == null) {
      return Optional.empty();
    }
    Answer fromLeft = ask(base, first, right);
    Answer fromRight = ask(base, left, last);
    if (fromLeft.value == null || fromRight.value == null || fromLeft.equals(fromRight)) {
      return Optional.empty();
    }
    return Optional.of(
        "not associative: merging "
            + print(left)
            + ", "
            + print(middle)
            + ", "
            + print(right)
            + " over "
            + print(base)
            + " from the left = "
            + fromLeft
            + ", from the right = "
            + fromRight);
  }

  private static String call(Json base, Json left, Json right) {
    return "merge(" + print(base) + ", " + print(left) + ", " + print(right) + ")";
  }

  private static String print(Json value) {
    return value.isAbsent() ? "nothing" : JsonPrinter.print(value);
  }

  /**
   * What the function said.
   *
   * @param value null where it has no answer
   * @param failure what it threw; empty where it said that it cannot; null where it answered
   */
  private record Answer(@Nullable Json value, @Nullable String failure) {
    @Override
    public String toString() {
      return value == null ? "no answer" : print(value);
    }
  }

  private Answer ask(Json base, Json left, Json right) {
    try {
      Json value = merge.merge(base, left, right);
      return value.isAbsent()
          ? new Answer(null, "nothing; a merge function returns a value or says that it cannot")
          : new Answer(value, null);
    } catch (CannotMergeException e) {
      return new Answer(null, "");
    } catch (RuntimeException | StackOverflowError e) {
      return new Answer(null, e.getClass().getSimpleName());
    }
  }

  private static List<Json> variations(Json value) {
    List<Json> list = new ArrayList<>();
    switch (value) {
      case JsonNumber(BigDecimal number) -> {
        list.add(Json.of(number.add(BigDecimal.ONE)));
        list.add(Json.of(number.negate()));
        list.add(Json.of(0));
      }
      case JsonString(String text) -> {
        list.add(Json.of(text + "a"));
        list.add(Json.of(text + "b"));
      }
      case JsonBool bool -> list.add(Json.of(!bool.value()));
      case JsonArray array when !array.items().isEmpty() -> {
        list.add(new JsonArray(array.items().reversed()));
        list.add(new JsonArray(array.items().subList(1, array.size())));
      }
      case JsonObject object ->
          object.members().keys().stream()
              .limit(MEMBERS_MAX)
              .forEach(name -> {
                variations(object.get(name)).stream()
                    .limit(2)
                    .forEach(other -> list.add(object.with(name, other)));
                list.add(object.with(name, JsonAbsent.ABSENT));
              });
      case JsonArray _, JsonNull _, JsonAbsent _ -> {
        // Nothing near these says more than they do.
      }
    }
    return list;
  }
}
