// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;

class JsonBatchTest {
  static final List<String> MALFORMED =
      List.of(
          "{\"id\":\"x\",\"data\":{\"k\":1,\"k\":2}}",
          "{\"id\":\"x\",\"data\":" + "[".repeat(200) + "]".repeat(200) + "}",
          "{\"id\":\"x\",\"data\":{\"n\":1e999999}}",
          "{\"id\":\"x\",\"data\":{\"n\":NaN}}",
          "{\"id\":\"x\",\"data\":{\"n\":01}}",
          "{\"id\":\"x\",\"data\":{\"n\":" + "9".repeat(2_000) + "}}",
          "{\"id\":\"x\",\"data\":{bad}}",
          "{\"id\":\"x\",\"data\":{'k':1}}",
          "{\"id\":\"x\",\"data\":{\"k\":1,}}",
          "{\"id\":\"x\",\"data\":{\"k\":[1,2}}",
          "{\"id\":\"x\",\"data\":{\"k\":]}}",
          "{\"id\":\"x\",\"data\":{\"k\":1}",
          "{\"id\":\"x\",\"data\":{\"k\":{\"l\":1}",
          "{\"id\":\"x\",\"data\":{\"k\":1}}}",
          "{\"id\":\"x\",\"data\":{\"k\":\"\\ud800\"}}",
          "{\"id\":\"x\",\"data\":{\"k\":\"\\q\"}}",
          "{\"id\":\"x\",\"data\":{\"k\":\"a\nb\"}}",
          "{\"id\":\"x\" \"data\":{}}",
          "{\"id\":\"x\",\"data\":}",
          "{\"id\":\"x\",\"data\":tru}",
          "");

  private static JsonBatch read(String text) {
    return JsonBatch.read(text.getBytes(StandardCharsets.UTF_8), "events", 1_000);
  }

  @Test
  void aMalformedElementCostsNoneOfTheOthersWhereverItStands() {
    String good = "{\"id\":\"good\",\"data\":{\"t\":\"]},{[\\\"\"}}";
    for (String bad : MALFORMED) {
      for (List<String> events :
          List.of(List.of(bad, good), List.of(good, bad, good), List.of(good, bad))) {
        String list = String.join(" ,\n", events);
        for (String body :
            List.of(
                "{\"events\":[" + list + "]}",
                "{\"device\":\"d\",\"events\" : [ " + list + " ]\n}",
                "{\"events\":[" + list + "],\"device\":\"d\"}")) {
          JsonBatch batch = read(body);
          assertThat(batch.elements()).as(body).hasSize(events.size());
          for (int i = 0; i < events.size(); i++) {
            JsonBatch.Element element = batch.elements().get(i);
            if (events.get(i).equals(good)) {
              assertThat(element.read()).isEqualTo(JsonReader.strict().read(good));
            } else {
              assertThatExceptionOfType(JsonProblem.class).as(body).isThrownBy(element::read);
              assertThat(element.text("id").orElse("none")).isEqualTo(bad.isEmpty() ? "none" : "x");
            }
          }
        }
      }
    }
  }

  @Test
  void bytesThatAreNoTextAreTheFaultOfTheirElementAlone() {
    byte[] body =
        "{\"events\":[{\"id\":\"x\",\"t\":\"\u00ff\"},{\"id\":\"y\"}]}"
            .getBytes(StandardCharsets.ISO_8859_1);
    List<JsonBatch.Element> elements = JsonBatch.read(body, "events", 10).elements();
    assertThatExceptionOfType(JsonProblem.class).isThrownBy(elements.getFirst()::read);
    assertThat(elements.getFirst().text("id")).contains("x");
    assertThat(elements.getLast().read()).isNotNull();
  }

  @Test
  void whatSurroundsTheElementsIsReadStrictly() {
    for (String body :
        List.of(
            "",
            "{\"events\":[],\"events\":[]}",
            "{\"a\":1,\"a\":2,\"events\":[]}",
            "{\"events\":[]} x",
            "{\"events\":[{}",
            "{\"events\":[{\"id\":\"x]}",
            "{\"events\":[{}],}")) {
      assertThatExceptionOfType(JsonProblem.class).as(body).isThrownBy(() -> read(body));
    }
    for (String body : List.of("[]", "7", "{\"events\":{}}", "{\"device\":\"d\"}")) {
      assertThatIllegalArgumentException().as(body).isThrownBy(() -> read(body));
    }
    assertThat(read("{\"events\":[]}").elements()).isEmpty();
    assertThat(read("{\"\\u0065vents\":[{\"id\":1}]}").elements()).hasSize(1);
  }

  @Test
  void anIdThatStandsTwiceIsNone() {
    JsonBatch batch = read("{\"events\":[{\"id\":\"a\",\"id\":\"b\"},{\"id\":7,\"k\":}]}");
    assertThat(batch.elements()).allMatch(element -> element.text("id").isEmpty());
  }

  @Test
  void hostileNestingIsReadInTimeThatGrowsWithItsLength() {
    int many = 2_000_000;
    for (String[] brackets :
        List.of(
            new String[] {"[", "}"},
            new String[] {"{", "]"},
            new String[] {"[{", "]"},
            new String[] {"{\"a\":[", "}"},
            new String[] {",{", "]"},
            new String[] {"{", "],"})) {
      String body = "{\"events\":[" + brackets[0].repeat(many) + brackets[1].repeat(many) + "]}";
      Assertions.assertThatNoException()
          .isThrownBy(() ->
              org.junit.jupiter.api.Assertions.assertTimeout(
                  Duration.ofSeconds(10),
                  () -> {
                    try {
                      assertThat(read(body).elements()).hasSizeLessThanOrEqualTo(1_001);
                    } catch (JsonProblem e) {
                      assertThat(e.getMessage()).isNotEmpty();
                    }
                  }));
    }
  }
}
