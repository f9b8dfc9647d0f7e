// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.codec.VersionJson;
import dev.entente.core.crdt.Cell;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonPrinter;
import dev.entente.core.record.Version;
import dev.entente.core.text.TextDocument;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every class that replicates has a JSON and a binary form: golden files fix them for all releases,
 * and hostile input is refused. A new class without an example and golden files fails here.
 */
class FormsTest {
  private static final Path GOLDEN = Path.of("src/test/resources/formats");

  static List<FormExample> examples() {
    return FormExamples.all();
  }

  @Test
  void everyReplicatedClassHasForms() throws URISyntaxException, IOException {
    List<String> covered =
        examples().stream().map(example -> example.of().getSimpleName()).toList();
    for (Class<?> each : List.of(Replica.class, TextDocument.class)) {
      URI home = each.getResource(each.getSimpleName() + ".class").toURI();
      try (Stream<Path> classes = Files.list(Path.of(home).getParent())) {
        for (Path path : classes.toList()) {
          String name = path.getFileName().toString().replace(".class", "");
          Class<?> type = loaded(each.getPackageName() + "." + name);
          if (replicates(type)) {
            assertThat(covered).as("example of its forms").contains(name);
          }
        }
      }
    }
    assertThat(Cell.class.getPermittedSubclasses())
        .as("a new cell needs a class of the library")
        .hasSize(4);
  }

  private static Class<?> loaded(String name) {
    try {
      return Class.forName(name);
    } catch (ClassNotFoundException e) {
      throw new AssertionError(e);
    }
  }

  private static boolean replicates(Class<?> type) {
    return Modifier.isPublic(type.getModifiers())
        && !Modifier.isAbstract(type.getModifiers())
        && Arrays.stream(type.getMethods())
            .anyMatch(
                method -> method.getName().startsWith("merge") || method.getName().equals("join"));
  }

  @ParameterizedTest
  @MethodSource("examples")
  void formsAreTheSameInEveryRelease(FormExample example) {
    Path json = GOLDEN.resolve(example.name() + ".json");
    Path hex = GOLDEN.resolve(example.name() + ".hex");
    String printed = JsonPrinter.print(example.json());
    String bytes = HexFormat.of().formatHex(example.bytes());
    if (Boolean.getBoolean("entente.writeGolden") && !Files.exists(json)) {
      write(json, printed);
      write(hex, bytes);
    }
    assertThat(printed).isEqualTo(read(json));
    assertThat(bytes).isEqualTo(read(hex));
  }

  @ParameterizedTest
  @MethodSource("examples")
  void whatWasWrittenIsReadBack(FormExample example) {
    byte[] golden = HexFormat.of().parseHex(read(GOLDEN.resolve(example.name() + ".hex")));
    FormExample.Receiver receiver = example.receiver().get();
    receiver.takeBytes(golden);
    receiver.takeBytes(golden);
    assertThat(receiver.json()).isEqualTo(example.json());
    FormExample.Receiver other = example.receiver().get();
    other.takeJson(example.json());
    assertThat(other.json()).isEqualTo(example.json());
  }

  @ParameterizedTest
  @MethodSource("examples")
  void hostileBytesAreRefusedAndChangeNothing(FormExample example) {
    Random random = new Random(example.name().hashCode());
    for (int round = 0; round < 1_500; round++) {
      byte[] bytes = mutated(example.bytes(), random);
      FormExample.Receiver receiver = example.receiver().get();
      Json before = receiver.json();
      try {
        receiver.takeBytes(bytes);
      } catch (IllegalArgumentException | IllegalStateException | DamagedException _) {
        assertThat(receiver.json()).isEqualTo(before);
      }
    }
  }

  private static byte[] mutated(byte[] bytes, Random random) {
    byte[] mutated = bytes.clone();
    for (int i = random.nextInt(4); i >= 0; i--) {
      mutated[random.nextInt(mutated.length)] = (byte) random.nextInt(256);
    }
    return switch (random.nextInt(6)) {
      case 0 -> Arrays.copyOf(mutated, random.nextInt(mutated.length));
      case 1 -> Arrays.copyOf(mutated, mutated.length + 1 + random.nextInt(4));
      default -> mutated;
    };
  }

  @ParameterizedTest
  @MethodSource("examples")
  void hostileJsonIsRefusedAndChangesNothing(FormExample example) {
    Random random = new Random(example.name().hashCode());
    for (int round = 0; round < 500; round++) {
      Json hostile = FormExamples.mutated(example.json(), random);
      FormExample.Receiver receiver = example.receiver().get();
      Json before = receiver.json();
      try {
        receiver.takeJson(hostile);
      } catch (IllegalArgumentException | IllegalStateException _) {
        assertThat(receiver.json()).isEqualTo(before);
      }
    }
  }

  @Test
  void deepAndLongInputIsBounded() {
    byte[] nested = new byte[100_000];
    for (int i = 0; i + 1 < nested.length; i += 2) {
      nested[i] = 7;
      nested[i + 1] = 1;
    }
    assertThatThrownBy(() -> dev.entente.core.codec.JsonCodec.fromBytes(nested))
        .isInstanceOf(DamagedException.class)
        .hasMessageContaining("deep");
    byte[] digits = new byte[1 << 20];
    Arrays.fill(digits, (byte) 0x7f);
    digits[0] = 5;
    digits[1] = 0;
    assertThatThrownBy(() -> dev.entente.core.codec.JsonCodec.fromBytes(digits))
        .isInstanceOf(DamagedException.class);
    assertThatThrownBy(
            () -> new ORSet("b").mergeBytes(new byte[] {'E', 'N', 'L', 1, 7, -1, -1, -1, 7}))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void halfASurrogatePairIsRefusedWhereItIsWritten() {
    ORSet set = new ORSet("a");
    set.add(Json.of("\ud83d"));
    assertThatThrownBy(set::toBytes)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("surrogate");
  }

  @Test
  void versionsSurviveBothForms() {
    for (Version version : FormExamples.versions()) {
      assertThat(VersionCodec.fromBytes(VersionCodec.toBytes(version))).isEqualTo(version);
      assertThat(VersionJson.read(VersionJson.write(version))).isEqualTo(version);
    }
    Json unknown = VersionJson.write(FormExamples.versions().getFirst()).with("extra", Json.of(1));
    assertThatThrownBy(() -> VersionJson.read(unknown)).hasMessageContaining("extra");
  }

  @Test
  void recordsExchangeWhatTheOtherLacks() throws Exception {
    Replica phone = FormExamples.record("phone");
    Replica tablet = FormExamples.record("tablet");
    phone.put("ann", Map.of("n", 1));
    tablet.put("bob", Map.of("m", 2));
    tablet.mergeBytes(phone.toBytes(tablet.context()));
    VersionVector known = phone.context();
    phone.mergeJson(tablet.toJson(phone.context()));
    assertThat(phone.view()).isEqualTo(tablet.view());
    assertThat(phone.toBytes()).isEqualTo(tablet.toBytes());
    phone.put("ann", Map.of("n", 2, "m", 2));
    byte[] delta = phone.toBytes(phone.context().join(known));
    assertThat(delta.length).isLessThan(phone.toBytes().length);
    byte[] late = phone.toBytes(tablet.context());
    assertThatThrownBy(() -> FormExamples.record("new").mergeBytes(late))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("builds on");
    tablet.mergeBytes(late);
    assertThat(tablet.view()).isEqualTo(phone.view());
  }

  @Test
  void versionsOfAnotherRecordAreRefused() throws Exception {
    Replica other = FormExamples.record("b", "another");
    Version version = other.put("bob", Map.of("n", 1)).orElseThrow();
    Replica record = FormExamples.record("a");
    assertThatThrownBy(() -> record.receive(version))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("main/t/another");
    assertThatThrownBy(() -> record.mergeBytes(other.toBytes()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void twoReplicasOfOneNameAreRefusedByAThirdThatKnowsBoth() {
    ORSet left = new ORSet("a");
    ORSet right = new ORSet("a");
    left.add(Json.of("tea"));
    right.add(Json.of("mug"));
    ORSet third = new ORSet("c");
    third.merge(left);
    assertThatThrownBy(() -> third.merge(right)).hasMessageContaining("two replicas named a");
    assertThatThrownBy(() -> third.mergeBytes(right.toBytes()))
        .isInstanceOf(IllegalStateException.class);
    PNCounter up = new PNCounter("a");
    PNCounter down = new PNCounter("a");
    up.add(5);
    down.add(-1);
    down.add(-1);
    PNCounter sum = new PNCounter("c");
    sum.merge(up);
    assertThatThrownBy(() -> sum.merge(down)).hasMessageContaining("two replicas named a");
    assertThatThrownBy(() -> sum.mergeJson(down.toJson()))
        .isInstanceOf(IllegalStateException.class);
    MVRegister one = new MVRegister("a");
    MVRegister two = new MVRegister("a");
    one.assign(Json.of(1));
    two.assign(Json.of(2));
    MVRegister both = new MVRegister("c");
    both.merge(one);
    assertThatThrownBy(() -> both.merge(two)).hasMessageContaining("two replicas named a");
    TextDocument here = TextDocument.create("a");
    TextDocument there = TextDocument.create("a");
    here.insert(0, "x");
    there.insert(0, "longer");
    assertThatThrownBy(() -> here.merge(there)).hasMessageContaining("two replicas named a");
    assertThatThrownBy(() -> here.merge(there.encode()))
        .hasMessageContaining("two replicas named a");
    assertThat(here).hasToString("x");
  }

  @Test
  void counterDeltasAreNoSignOfASecondReplica() {
    PNCounter a = new PNCounter("a");
    PNCounter b = new PNCounter("b");
    PNCounter c = new PNCounter("c");
    a.add(3);
    b.add(-2);
    c.merge(a);
    c.merge(b);
    VersionVector known = c.seen();
    a.merge(b);
    a.add(-1);
    c.add(7);
    c.mergeBytes(a.toBytes(known));
    a.mergeBytes(c.toBytes(a.seen()));
    assertThat(c.value()).isEqualTo(7).isEqualTo(a.value());
    b.mergeBytes(a.toBytes(b.seen()));
    assertThat(b.value()).isEqualTo(7);
  }

  @Test
  void aFullShareSaysWhoseItIs() {
    PNCounter counter = new PNCounter("a");
    counter.add(Long.MAX_VALUE);
    assertThatThrownBy(() -> counter.add(1))
        .isInstanceOf(ArithmeticException.class)
        .hasMessageContaining("the share of a")
        .hasMessageContaining("another replica name");
    PNCounter next = new PNCounter("a-2");
    next.merge(counter);
    next.add(Long.MAX_VALUE);
    assertThat(next.value()).hasToString("18446744073709551614");
    next.mergeBytes(next.toBytes());
    PNCounter read = new PNCounter("b");
    read.mergeBytes(next.toBytes());
    assertThat(read.value()).isEqualTo(next.value());
  }

  private static String read(Path file) {
    try {
      return Files.readString(file, StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(
          "no golden file; write it with -Dentente.writeGolden=true and review it", e);
    }
  }

  private static void write(Path file, String text) {
    try {
      Files.writeString(file, text + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
