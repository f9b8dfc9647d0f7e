// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

/** A history that cannot be merged changes nothing, and the replica goes on as before. */
final class TextRefusalTest {
  private static final int ROUNDS = Integer.getInteger("entente.text.rounds", 400);

  /** Every way in which one replica takes over what another has. */
  private static final List<BiConsumer<TextDocument, TextDocument>> WAYS =
      List.of(
          TextDocument::merge,
          (into, from) -> into.merge(from.encode()),
          (into, from) -> into.mergeJson(from.toJson()));

  private static TextDocument document(String agent, String text) {
    TextDocument document = TextDocument.create(agent);
    document.insert(0, text);
    return document;
  }

  /** A well-formed history of one agent whose events follow no other. */
  private static byte[] history(String agent, Operations operations) {
    Graph graph = new Graph();
    graph.add(graph.agent(agent), operations.size(), new int[0]);
    return HistoryWriter.toBytes(graph, operations, Map.of());
  }

  private static void assertRefused(TextDocument document, byte[] hostile) {
    byte[] before = document.encode();
    assertThatThrownBy(() -> document.merge(hostile)).isInstanceOf(TextFormatException.class);
    assertThat(document.encode()).isEqualTo(before);
    assertGoesOn(document);
  }

  /** Edits, reads itself back and merges with another replica, as if nothing had been tried. */
  private static void assertGoesOn(TextDocument document) {
    String text = document.toString();
    TextDocument other = TextDocument.decode(document.encode(), "other");
    assertThat(other).hasToString(text);
    other.insert(0, "<");
    document.insert(document.length(), ">");
    document.merge(other.encodeSince(document.version()));
    other.merge(document);
    assertThat(document.toString()).isEqualTo(other.toString()).contains(text, "<", ">");
  }

  @Test
  void anInsertionBeyondTheTextChangesNothing() {
    Operations operations = new Operations();
    operations.insert(0, "good", 4);
    operations.insert(50, "bad", 3);
    assertRefused(document("ann", "abc"), history("eve", operations));
  }

  @Test
  void aDeletionBeyondTheTextChangesNothing() {
    Operations operations = new Operations();
    operations.insert(0, "good", 4);
    operations.delete(2, 3);
    assertRefused(document("ann", "abc"), history("eve", operations));
  }

  @Test
  void anEditBeyondAnEmptyTextChangesNothing() {
    Operations operations = new Operations();
    operations.delete(0, 1);
    assertRefused(TextDocument.create("ann"), history("eve", operations));
  }

  @Test
  void anEditBeyondTheTextThatItsAuthorSawIsRefusedThoughTheTextIsLonger() {
    Operations operations = new Operations();
    operations.insert(5, "x", 1);
    assertRefused(document("ann", "long enough"), history("eve", operations));
  }

  @Test
  void whatTheFormerDeletionsWereIsRestoredToo() {
    TextDocument ann = document("ann", "abcdef");
    ann.delete(3, 1);
    Graph graph = new Graph();
    Operations operations = new Operations();
    operations.insert(0, "abcdef", 6);
    operations.delete(3, 1);
    operations.delete(2, 1);
    operations.insert(90, "x", 1);
    graph.add(graph.agent("ann"), 7, new int[0]);
    graph.add(graph.agent("eve"), 2, new int[] {6});
    assertRefused(ann, HistoryWriter.toBytes(graph, operations, Map.of()));
  }

  @Test
  void anyWellFormedHistoryIsMergedOrChangesNothing() {
    int refused = 0;
    for (int seed = 0; seed < ROUNDS; seed++) {
      Random random = new Random(seed);
      TextDocument victim = document("ann", "some text");
      victim.delete(3, 2);
      byte[] hostile = randomHistory(random);
      byte[] before = victim.encode();
      try {
        victim.merge(hostile);
      } catch (TextFormatException | IllegalStateException e) {
        refused++;
        assertThat(victim.encode()).as("seed %d", seed).isEqualTo(before);
      }
      assertGoesOn(victim);
    }
    assertThat(refused).isBetween(ROUNDS / 10, ROUNDS * 9 / 10);
  }

  /** Events of several agents with arbitrary predecessors and positions. */
  private static byte[] randomHistory(Random random) {
    Graph graph = new Graph();
    Operations operations = new Operations();
    int length = 0;
    for (int i = 1 + random.nextInt(6); i > 0; i--) {
      int position = random.nextInt(length + (random.nextInt(8) == 0 ? 20 : 1));
      int count = 1 + random.nextInt(3);
      if (random.nextInt(3) > 0 || length < 3) {
        operations.insert(position, "xyz".substring(0, count), count);
        length += count;
      } else {
        operations.delete(Math.min(position, length - count), count);
        length -= count;
      }
      int known = graph.size();
      int[] seen = random.ints(known == 0 ? 0 : random.nextInt(3), 0, Math.max(1, known)).toArray();
      if (random.nextBoolean()) {
        seen = known == 0 ? new int[0] : new int[] {known - 1};
      }
      int[] ascending = Arrays.stream(seen).sorted().distinct().toArray();
      graph.add(graph.agent("eve" + random.nextInt(3)), count, ascending);
    }
    return HistoryWriter.toBytes(graph, operations, Map.of());
  }

  @Test
  void aThirdReplicaNoticesTwoThatEditUnderOneName() {
    TextDocument first = document("ann", "one");
    TextDocument longer = document("ann", "other text");
    TextDocument base = document("cat", "abc");
    TextDocument deleted = TextDocument.decode(base.encode(), "ann");
    TextDocument deletedElsewhere = TextDocument.decode(base.encode(), "ann");
    TextDocument sawMore = TextDocument.decode(base.encode(), "ann");
    deleted.delete(0, 1);
    deletedElsewhere.delete(1, 1);
    base.insert(3, "d");
    sawMore.merge(base);
    sawMore.delete(0, 1);
    List<List<TextDocument>> pairs =
        List.of(
            List.of(first, longer),
            List.of(longer, first),
            List.of(first, document("ann", "two")),
            List.of(deleted, deletedElsewhere),
            List.of(deleted, document("ann", "x")),
            List.of(deleted, sawMore),
            List.of(sawMore, deleted));
    for (List<TextDocument> pair : pairs) {
      for (BiConsumer<TextDocument, TextDocument> way : WAYS) {
        TextDocument third = TextDocument.create("third");
        way.accept(third, pair.getFirst());
        byte[] before = third.encode();
        assertThatThrownBy(() -> way.accept(third, pair.getLast()))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("two replicas named ann");
        assertThat(third.encode()).isEqualTo(before);
        assertGoesOn(third);
      }
    }
  }

  @Test
  void aReplicaNoticesAnotherOfItsNameThatKnowsLess() {
    TextDocument ann = document("ann", "a longer text");
    for (BiConsumer<TextDocument, TextDocument> way : WAYS) {
      assertThatThrownBy(() -> way.accept(ann, document("ann", "short")))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("two replicas named ann");
    }
    assertThat(ann).hasToString("a longer text");
  }

  @Test
  void oneHistoryIsTheSameHoweverItWasDelivered() {
    TextDocument ann = document("ann", "abcdefgh");
    for (int i = 0; i < 3; i++) {
      ann.delete(5 - i, 1);
    }
    TextDocument piecemeal = TextDocument.create("piecemeal");
    TextDocument bob = TextDocument.create("bob");
    byte[] early = ann.encode();
    piecemeal.merge(early);
    bob.insert(0, "B");
    piecemeal.merge(bob);
    ann.delete(2, 1);
    ann.insert(2, "!");
    byte[] late = ann.encodeSince(piecemeal.version());
    piecemeal.merge(late);
    for (BiConsumer<TextDocument, TextDocument> way : WAYS) {
      way.accept(piecemeal, ann);
      way.accept(ann, piecemeal);
    }
    piecemeal.merge(early);
    piecemeal.merge(late);
    assertThat(piecemeal.toString()).isEqualTo(ann.toString());
  }
}
