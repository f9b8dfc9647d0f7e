// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.json.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is JSON and what is not, over the network and in files. */
class JsonReaderTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "{",
        "{} x",
        "[1,]",
        "{'a':1}",
        "[NaN]",
        "[Infinity]",
        "[1] // c",
        "\uFEFF{}",
        "[\"\u0001\"]",
        "[\"\\u12\"]",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}",
        "1e1000000000",
        "1E400",
        "[\"\\ud800\"]",
        "[01]",
        "[+1]",
        "[.5]",
        "[1.]",
        "tru",
        "[\"\t\"]"
      })
  void refused(String text) {
    assertThatThrownBy(() -> JsonReader.strict().read(text)).isInstanceOf(JsonProblem.class);
  }

  @Test
  void invalidUtf8IsRefused() {
    assertThatThrownBy(
            () -> JsonReader.strict().read(new byte[] {'"', (byte) 0xC0, (byte) 0x80, '"'}))
        .isInstanceOf(JsonProblem.class);
    assertThatThrownBy(() -> JsonReader.strict().read("{}".getBytes(StandardCharsets.UTF_16)))
        .isInstanceOf(JsonProblem.class);
    assertThatThrownBy(
            () -> JsonReader.strict().read(new byte[] {'"', 'a', (byte) 0xE2, (byte) 0x82, '"'}))
        .isInstanceOf(JsonProblem.class);
  }

  @Test
  void theReplacementCharacterIsTextLikeAnyOther() {
    String text = "a\uFFFDé\uD83D\uDE00";
    assertThat(JsonReader.strict().read(('"' + text + '"').getBytes(StandardCharsets.UTF_8)))
        .isEqualTo(Json.of(text));
  }

  @Test
  void numbersHaveOneForm() {
    for (String one : List.of("1", "1.0", "1e0", "10e-1")) {
      assertThat(JsonReader.strict().read(one)).hasToString("1");
    }
    assertThat(JsonReader.strict().read("-0")).hasToString("0");
    assertThat(JsonReader.strict().read("9007199254740993")).hasToString("9007199254740993");
    assertThat(JsonReader.strict().read("0.1")).hasToString("0.1");
  }

  @Test
  void aMillionDigitsAreRefusedAtOnce() {
    assertThatThrownBy(() -> JsonReader.strict().read("1".repeat(1_000_000)))
        .isInstanceOfSatisfying(JsonProblem.class, e -> assertThat(e.tooLarge()).isFalse());
  }

  @Test
  void depthIsBounded() {
    Json deepest = JsonReader.strict().read("[".repeat(128) + "]".repeat(128));
    assertThat(JsonReader.document(deepest)).isSameAs(deepest);
    assertThatThrownBy(
            () -> JsonReader.document(JsonReader.strict().read("[".repeat(129) + "]".repeat(129))))
        .isInstanceOfSatisfying(JsonProblem.class, e -> assertThat(e.tooLarge()).isTrue());
  }

  @Test
  void textThatIsNestedWithoutEndIsRefusedWhileReading() {
    assertThatThrownBy(() -> JsonReader.strict().read("[".repeat(100_000)))
        .isInstanceOfSatisfying(JsonProblem.class, e -> assertThat(e.tooLarge()).isTrue());
  }

  @Test
  void keptExactly() {
    String text = "{\"\":1,\"__proto__\":2,\"\u00e9\":3,\"e\u0301\":4}";
    assertThat(JsonReader.strict().read(text))
        .hasToString("{\"\":1,\"__proto__\":2,\"e\u0301\":4,\"\u00e9\":3}");
  }

  @Test
  void filesMayHaveAByteOrderMarkAndDuplicatesWhichAreReported() {
    List<String> duplicates = new ArrayList<>();
    Json value = JsonReader.lenient(duplicates::add).read("\uFEFF{\"a\":1,\"a\":2}");
    assertThat(value).hasToString("{\"a\":2}");
    assertThat(duplicates).containsExactly("a");
  }

  /** B13: the rules of the JSON Test Suite, by a file of cases. */
  @Test
  void theTestSuitesRules() throws IOException {
    int cases = 0;
    for (String line : Files.readAllLines(Path.of("src/test/resources/json-rules.txt"))) {
      if (line.startsWith("#")) {
        continue;
      }
      boolean accepted = line.startsWith("y ") || line.startsWith("i y ");
      byte[] text = bytes(line.substring(line.startsWith("i ") ? 4 : 2));
      assertThat(isJson(text)).as(line).isEqualTo(accepted);
      cases++;
    }
    assertThat(cases).isGreaterThan(250);
  }

  private static boolean isJson(byte[] text) {
    try {
      JsonReader.strict().read(text);
      return true;
    } catch (JsonProblem e) {
      assertThat(e).hasMessageNotContaining("Exception");
      return false;
    }
  }

  private static byte[] bytes(String text) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 0; i < text.length(); i++) {
      boolean escaped =
          text.startsWith("\\x", i)
              && i + 4 <= text.length()
              && text.substring(i + 2, i + 4).chars().allMatch(c -> Character.digit(c, 16) >= 0);
      if (escaped) {
        out.write(Integer.parseInt(text.substring(i + 2, i + 4), 16));
        i += 3;
      } else {
        out.writeBytes(String.valueOf(text.charAt(i)).getBytes(StandardCharsets.UTF_8));
      }
    }
    return out.toByteArray();
  }
}
