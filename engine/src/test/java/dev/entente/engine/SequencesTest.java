// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.VersionVector;
import dev.entente.core.crdt.Sequence;
import dev.entente.core.crdt.Splice;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.CellId;
import dev.entente.core.record.CellId.CellClass;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Unit;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Texts and lists in records: everybody's edits stay, whoever had seen what. */
class SequencesTest {
  private static final RecordKey NOTE = new RecordKey("main", "note", "n");
  private static final String POLICY =
      "type: note\nfields:\n  body: {cell: text}\n  steps: {cell: list}\n";
  private final Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("n"));

  @BeforeEach
  void declare() throws PolicyException {
    node.putPolicy("main", POLICY, "op").join();
  }

  @AfterEach
  void close() {
    node.close();
  }

  private Outcome put(Map<String, ?> document, Seen seen) {
    return node.write(
            WriteRequest.of(NOTE, new Edit.Put((JsonObject) Json.of(document)), seen, "w"))
        .join();
  }

  private VersionVector body(String text, VersionVector context) {
    Outcome outcome = put(Map.of("body", text), new Seen.Context(context));
    assertThat(outcome).isInstanceOf(Accepted.class);
    return ((Accepted) outcome).after().state().context();
  }

  private String body() {
    return node.read(NOTE).view().data() instanceof JsonObject note
        ? note.get("body").toString()
        : "";
  }

  private Sequence cell() {
    return (Sequence)
        node.read(NOTE)
            .state()
            .cells()
            .get(new CellId(Unit.field(Path.of("body")), CellClass.TEXT));
  }

  @Test
  void twoWhoSentTheWholeTextBothKeepWhatTheyChanged() {
    VersionVector start = body("Buy milk and bread.", VersionVector.EMPTY);
    body("Buy milk, eggs and bread.", start);
    body("Please buy milk and bread.", start);
    assertThat(body()).isEqualTo("\"Please buy milk, eggs and bread.\"");
    assertThat(node.read(NOTE).view().resolutions()).isEmpty();
  }

  @Test
  void theCellIsThePlainTextAgainOnceSomebodyHasSeenAll() {
    VersionVector start = body("one", VersionVector.EMPTY);
    assertThat(cell().open().isEmpty()).isTrue();
    body("one two", start);
    body("zero one", start);
    assertThat(cell().open().size()).isEqualTo(2);
    body("zero one two three", node.read(NOTE).state().context());
    assertThat(cell().open().isEmpty()).isTrue();
    assertThat(cell().base()).isEqualTo(Json.of("zero one two three"));
  }

  @Test
  void anEditFromLongAgoFindsItsPlace() {
    VersionVector start = body("The end.", VersionVector.EMPTY);
    VersionVector now = start;
    for (int i = 0; i < 20; i++) {
      now = body("Line " + i + ". " + node.read(NOTE).view().data().toString().length(), now);
      now = body("Once upon a time. The end.", now);
    }
    body("The happy end.", start);
    assertThat(body()).contains("happy");
    assertThat(node.verify(_ -> {}).broken()).isEmpty();
  }

  @Test
  void anEditThatThousandsDidNotSeeIsTakenAndTooManyAtOnceAreRefused() {
    VersionVector start = body("begin end", VersionVector.EMPTY);
    VersionVector now = start;
    for (int i = 0; i < 2_000; i++) {
      now = body("begin " + i + " end", now);
    }
    body("begin end.", start);
    assertThat(body()).isEqualTo("\"begin 1999 end.\"");
    assertThat(cell().open().size()).isEqualTo(2_001);
    Outcome outcome = null;
    for (int i = 0; i < 3_100 && !(outcome instanceof Rejected); i++) {
      now = body("begin " + i + " end.", node.read(NOTE).state().context());
      outcome = i % 1_000 == 999 ? put(Map.of("body", "never end"), new Seen.Context(start)) : null;
    }
    assertThat(outcome).isInstanceOf(Rejected.class);
    assertThat(((Rejected) outcome).message()).contains("at most 5000");
  }

  @Test
  void operationsSplice() {
    body("hello", VersionVector.EMPTY);
    Path path = Path.of("body");
    Outcome outcome =
        node.write(
                WriteRequest.of(
                    NOTE,
                    new Edit.Operations(
                        List.of(
                            new Edit.Operation.Splice(path, new Splice(5, 0, Json.of(" world"))),
                            new Edit.Operation.Splice(path, new Splice(0, 1, Json.of("H"))))),
                    new Seen.Everything(),
                    "w"))
            .join();
    assertThat(outcome).isInstanceOf(Accepted.class);
    assertThat(body()).isEqualTo("\"Hello world\"");
    Outcome outside =
        node.write(
                WriteRequest.of(
                    NOTE,
                    new Edit.Operations(
                        List.of(new Edit.Operation.Splice(path, new Splice(10, 2, Json.of(""))))),
                    new Seen.Everything(),
                    "w"))
            .join();
    assertThat(((Rejected) outside).message()).contains("11 items", "outside");
  }

  @Test
  void elementsOfAListAreInsertedAndRemovedSideBySide() {
    VersionVector start =
        ((Accepted) put(Map.of("steps", List.of("a", "b", "c")), new Seen.Everything()))
            .after()
            .state()
            .context();
    put(Map.of("steps", List.of("a", "x", "b", "c")), new Seen.Context(start));
    put(Map.of("steps", List.of("a", "c", "d")), new Seen.Context(start));
    assertThat(((JsonObject) node.read(NOTE).view().data()).get("steps"))
        .isEqualTo(Json.of(List.of("a", "x", "c", "d")));
  }

  @Test
  void aPlainFieldBecomesATextWithoutBeingDoubled() throws PolicyException {
    node.putPolicy("main", "type: note\n", "op").join();
    VersionVector start = body("shared draft", VersionVector.EMPTY);
    node.putPolicy("main", POLICY, "op").join();
    assertThat(body()).isEqualTo("\"shared draft\"");
    body("shared first draft", start);
    body("our shared draft", start);
    assertThat(body()).isEqualTo("\"our shared first draft\"");
  }

  @Test
  void randomEditsOfManyDevicesLoseNoWord() {
    Random random = new Random(11);
    VersionVector[] seen = new VersionVector[4];
    VersionVector start = body("begin end", VersionVector.EMPTY);
    String[] text = new String[4];
    java.util.Arrays.fill(seen, start);
    java.util.Arrays.fill(text, "begin end");
    for (int i = 0; i < 120; i++) {
      int device = random.nextInt(4);
      if (random.nextInt(3) == 0) {
        seen[device] = node.read(NOTE).state().context();
        text[device] = body().substring(1, body().length() - 1);
      }
      int at = text[device].indexOf(' ', random.nextInt(text[device].length() - 4));
      if (at < 0) {
        continue;
      }
      text[device] = text[device].substring(0, at) + " w" + i + text[device].substring(at);
      Outcome outcome = put(Map.of("body", text[device]), new Seen.Context(seen[device]));
      assertThat(outcome).isInstanceOf(Accepted.class);
      seen[device] = node.read(NOTE).state().context();
      text[device] = body().substring(1, body().length() - 1);
      assertThat(body()).contains("w" + i);
    }
    long words = java.util.regex.Pattern.compile("w\\d+").matcher(body()).results().count();
    assertThat(words).isGreaterThan(100);
  }
}
