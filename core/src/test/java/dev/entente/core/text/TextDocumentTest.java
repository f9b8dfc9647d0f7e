// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What people see who write one text together. */
final class TextDocumentTest {
  private static final int ROUNDS = Integer.getInteger("entente.text.rounds", 400);

  private static TextDocument copy(TextDocument document, String agent) {
    return TextDocument.decode(document.encode(), agent);
  }

  private static void meet(TextDocument one, TextDocument other) {
    one.merge(other);
    other.merge(one);
    assertThat(one.toString()).isEqualTo(other.toString());
  }

  @Test
  void bothInsertionsStay() {
    TextDocument ann = TextDocument.create("ann");
    ann.insert(0, "Hello!");
    TextDocument bob = copy(ann, "bob");
    ann.insert(5, " world");
    bob.insert(6, " :-)");
    meet(ann, bob);
    assertThat(ann).hasToString("Hello world! :-)");
  }

  @Test
  void whatBothDeletedIsGoneOnce() {
    TextDocument ann = TextDocument.create("ann");
    ann.insert(0, "abcdef");
    TextDocument bob = copy(ann, "bob");
    ann.delete(1, 3);
    bob.delete(2, 3);
    meet(ann, bob);
    assertThat(ann).hasToString("af");
  }

  @Test
  void wordsTypedAtOnePlaceDoNotInterleave() {
    TextDocument ann = TextDocument.create("ann");
    ann.insert(0, "[]");
    TextDocument bob = copy(ann, "bob");
    for (int i = 0; i < 5; i++) {
      ann.insert(1 + i, "milk ".substring(i, i + 1));
      bob.insert(1 + i, "eggs ".substring(i, i + 1));
    }
    meet(ann, bob);
    assertThat(ann).hasToString("[milk eggs ]");
  }

  @Test
  void wordsTypedBackwardDoNotInterleave() {
    TextDocument ann = TextDocument.create("ann");
    ann.insert(0, "[]");
    TextDocument bob = copy(ann, "bob");
    for (int i = 4; i >= 0; i--) {
      ann.insert(1, "milk ".substring(i, i + 1));
      bob.insert(1, "eggs ".substring(i, i + 1));
    }
    meet(ann, bob);
    assertThat(ann).hasToString("[milk eggs ]");
  }

  @Test
  void positionsCountCharactersNotTheirHalves() {
    TextDocument ann = TextDocument.create("ann");
    ann.insert(0, "a🎉b");
    ann.insert(2, "é");
    assertThat(ann.length()).isEqualTo(4);
    ann.delete(1, 1);
    assertThat(ann).hasToString("aéb");
    assertThat(copy(ann, "bob")).hasToString("aéb");
  }

  @Test
  void anAnchorStaysWithItsCharacter() {
    TextDocument ann = TextDocument.create("ann");
    ann.insert(0, "one three");
    TextDocument bob = copy(ann, "bob");
    Anchor behindOne = ann.anchor(3, false);
    Anchor beforeThree = ann.anchor(4, true);
    bob.insert(4, "two ");
    bob.insert(0, "zero ");
    ann.insert(9, " four");
    meet(ann, bob);
    assertThat(ann).hasToString("zero one two three four");
    for (TextDocument each : List.of(ann, bob)) {
      assertThat(each.position(behindOne)).isEqualTo(8);
      assertThat(each.position(beforeThree)).isEqualTo(13);
    }
    bob.delete(4, 9);
    ann.merge(bob);
    assertThat(ann).hasToString("zerothree four");
    assertThat(ann.position(behindOne)).isEqualTo(4);
    assertThat(ann.position(beforeThree)).isEqualTo(4);
  }

  @Test
  void aDeltaHoldsWhatTheOtherLacks() {
    TextDocument ann = TextDocument.create("ann");
    ann.insert(0, "x".repeat(5_000));
    TextDocument bob = copy(ann, "bob");
    ann.insert(2, "yes");
    byte[] delta = ann.encodeSince(bob.version());
    assertThat(delta.length).isLessThan(60);
    bob.merge(delta);
    bob.merge(delta);
    assertThat(bob.toString()).isEqualTo(ann.toString());
    assertThatThrownBy(() -> TextDocument.create("eve").merge(delta))
        .isInstanceOf(TextFormatException.class)
        .hasMessageContaining("unknown");
  }

  @Test
  void editsOutsideTheTextAreRefused() {
    TextDocument ann = TextDocument.create("ann");
    ann.insert(0, "abc");
    assertThatThrownBy(() -> ann.insert(4, "x")).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> ann.insert(-1, "x")).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> ann.delete(2, 2)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> ann.delete(0, -1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThat(ann).hasToString("abc");
  }

  @Test
  void anyBytesAreReadOrRefused() {
    TextDocument ann = TextDocument.create("ann");
    ann.insert(0, "some text, to be damaged");
    ann.delete(3, 4);
    TextDocument bob = copy(ann, "bob");
    bob.insert(2, "!");
    ann.insert(5, "?");
    ann.merge(bob);
    byte[] whole = ann.encode();
    Random random = new Random(1);
    for (int round = 0; round < 20_000; round++) {
      byte[] bytes = whole.clone();
      for (int i = random.nextInt(3); i >= 0; i--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      byte[] cut = java.util.Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
      byte[] sealed = random.nextBoolean() ? resealed(cut) : cut;
      try {
        TextDocument.decode(sealed, "eve");
      } catch (TextFormatException e) {
        assertThat(e).hasMessageNotContaining("null");
      }
    }
  }

  /** Gives damaged bytes a checksum that fits. */
  private static byte[] resealed(byte[] bytes) {
    if (bytes.length < 4) {
      return bytes;
    }
    java.util.zip.CRC32 sum = new java.util.zip.CRC32();
    sum.update(bytes, 0, bytes.length - 4);
    java.nio.ByteBuffer.wrap(bytes).putInt(bytes.length - 4, (int) sum.getValue());
    return bytes;
  }

  @Test
  void randomEditingEndsAsTheOracleSays() {
    for (int seed = 0; seed < ROUNDS; seed++) {
      Random random = new Random(seed);
      int count = 2 + random.nextInt(3);
      List<TextDocument> documents = new ArrayList<>();
      List<NaiveText> oracles = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        documents.add(TextDocument.create("agent" + i));
        oracles.add(new NaiveText("agent" + i));
      }
      for (int step = 0; step < 60; step++) {
        int who = random.nextInt(count);
        if (random.nextInt(4) == 0) {
          int from = random.nextInt(count);
          mergeSomehow(documents.get(who), documents.get(from), random);
          oracles.get(who).merge(oracles.get(from));
        } else {
          edit(documents.get(who), oracles.get(who), random);
        }
        assertThat(documents.get(who).toString())
            .as("seed %d, step %d", seed, step)
            .isEqualTo(oracles.get(who).toString());
      }
      for (int i = 1; i < count; i++) {
        documents.getFirst().merge(documents.get(i));
        oracles.getFirst().merge(oracles.get(i));
      }
      for (TextDocument document : documents) {
        document.merge(documents.getFirst());
        assertThat(document.toString())
            .as("seed %d", seed)
            .isEqualTo(oracles.getFirst().toString());
        assertThat(copy(document, "reader").toString()).isEqualTo(document.toString());
      }
    }
  }

  private static void mergeSomehow(TextDocument into, TextDocument from, Random random) {
    switch (random.nextInt(3)) {
      case 0 -> into.merge(from);
      case 1 -> into.merge(from.encode());
      default -> into.merge(from.encodeSince(into.version()));
    }
  }

  private static void edit(TextDocument document, @Nullable NaiveText oracle, Random random) {
    int length = document.length();
    if (length > 0 && random.nextInt(3) == 0) {
      int position = random.nextInt(length);
      int count = 1 + random.nextInt(Math.min(4, length - position));
      if (random.nextBoolean()) {
        document.delete(position, count);
        for (int i = 0; i < count; i++) {
          deleteAt(oracle, position);
        }
      } else {
        for (int i = count - 1; i >= 0; i--) {
          document.delete(position + i, 1);
          deleteAt(oracle, position + i);
        }
      }
    } else {
      int position = random.nextInt(4) == 0 ? 0 : random.nextInt(length + 1);
      int count = 1 + random.nextInt(4);
      StringBuilder text = new StringBuilder();
      for (int i = 0; i < count; i++) {
        int character =
            random.nextInt(40) == 0 ? 0x1F600 + random.nextInt(40) : 'a' + random.nextInt(26);
        text.appendCodePoint(character);
        if (oracle != null) {
          oracle.insert(position + i, character);
        }
      }
      document.insert(position, text.toString());
    }
  }

  private static void deleteAt(@Nullable NaiveText oracle, int position) {
    if (oracle != null) {
      oracle.delete(position);
    }
  }

  @Test
  void anchorsMeanTheSameOnEveryReplica() {
    for (int seed = 0; seed < ROUNDS / 4; seed++) {
      Random random = new Random(seed);
      List<TextDocument> documents = new ArrayList<>();
      List<Anchor> anchors = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        documents.add(TextDocument.create("agent" + i));
      }
      for (int step = 0; step < 60; step++) {
        TextDocument who = documents.get(random.nextInt(3));
        if (random.nextInt(4) == 0) {
          who.merge(documents.get(random.nextInt(3)));
        } else {
          edit(who, null, random);
        }
        anchors.add(who.anchor(random.nextInt(who.length() + 1), random.nextBoolean()));
      }
      for (TextDocument one : documents) {
        for (TextDocument other : documents) {
          one.merge(other);
        }
      }
      documents.get(0).merge(documents.get(2));
      documents.get(1).merge(documents.get(0));
      for (Anchor anchor : anchors) {
        int first = documents.get(0).position(anchor);
        assertThat(documents.get(1).position(anchor))
            .as("seed %d, %s", seed, anchor)
            .isEqualTo(first);
        assertThat(documents.get(2).position(anchor))
            .as("seed %d, %s", seed, anchor)
            .isEqualTo(first);
      }
    }
  }
}
