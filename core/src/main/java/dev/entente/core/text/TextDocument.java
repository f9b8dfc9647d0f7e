// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Members;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A text that many edit at once: one replica with its whole history. It holds the plain text and a
 * compact log of what was typed and deleted; what merging needs besides exists only while it
 * merges.
 *
 * <p>Positions and lengths count Unicode code points. Replicas that have merged the same events
 * hold the same text, whatever the order. Each replica edits under an agent name that no other uses
 * at the same time. Not thread-safe.
 */
public final class TextDocument {
  private final String agentName;
  private final int agent;
  private final Graph graph = new Graph();
  private final Operations operations = new Operations();
  private final ItemBuffer text = new ItemBuffer();
  private int[] head = {0};

  /** Whether something was edited here, so that nobody else knows more of this agent. */
  private boolean edited;

  private TextDocument(String agent) {
    this.agentName = agent;
    this.agent = graph.agent(agent);
  }

  /** An empty text, edited under an agent name. */
  public static TextDocument create(String agent) {
    if (agent.isEmpty()) {
      throw new IllegalArgumentException("an agent needs a name");
    }
    return new TextDocument(agent);
  }

  /**
   * A text from bytes of {@link #encode}, edited further under an agent name.
   *
   * @throws TextFormatException where the bytes are not that
   */
  public static TextDocument decode(byte[] bytes, String agent) {
    TextDocument document = create(agent);
    document.merge(bytes);
    document.trim();
    return document;
  }

  public int length() {
    return text.size();
  }

  /** The number of characters ever inserted and deleted. */
  public int events() {
    return graph.size();
  }

  /**
   * Inserts a text.
   *
   * @throws IndexOutOfBoundsException where the position is not in {@code 0 … length()}
   */
  public void insert(int position, String inserted) {
    if (position < 0 || position > text.size()) {
      throw outside(position);
    }
    if (inserted.isEmpty()) {
      return;
    }
    int before = text.size();
    text.insert(position, inserted);
    int length = text.size() - before;
    operations.insert(position, inserted, length);
    record(length);
  }

  /**
   * Deletes {@code count} characters from a position on.
   *
   * @throws IndexOutOfBoundsException where they are not all there
   */
  public void delete(int position, int count) {
    if (position < 0 || count < 0 || position > text.size() - count) {
      throw outside(position);
    }
    if (count == 0) {
      return;
    }
    text.delete(position, count);
    operations.delete(position, count);
    record(count);
  }

  private IndexOutOfBoundsException outside(int position) {
    return new IndexOutOfBoundsException(
        "position " + position + " of a text of " + text.size() + " characters");
  }

  private void record(int length) {
    edited = true;
    int[] frontier = graph.frontier();
    if (frontier.length == 1) {
      head[0] = frontier[0];
      if (head[0] == graph.size() - 1 && graph.agent(graph.runs() - 1) == agent) {
        graph.add(agent, length, head);
        return;
      }
    }
    graph.add(agent, length, frontier.clone());
  }

  /**
   * Takes over all events of another replica that are not known here.
   *
   * @throws IllegalStateException where two replicas edit under one agent name, this one's or
   *     another: one of them knows events that the other has made differently; nothing has changed
   */
  public void merge(TextDocument other) {
    Graph theirs = other.graph;
    requireOwnName(theirs.known(agentName));
    SharedNames names = new SharedNames(graph, operations);
    for (int run = 0; run < theirs.runs(); run++) {
      String name = theirs.name(theirs.agent(run));
      int shared = names.shared(name, theirs.sequence(run), theirs.end(run) - theirs.start(run));
      if (shared > 0) {
        int[] seen = known(theirs, theirs.parents(run));
        names.requireSame(
            name, theirs.sequence(run), seen, other.operations, theirs.start(run), shared);
      }
    }
    addAndCarryOut(() -> add(other));
  }

  private void add(TextDocument other) {
    Graph theirs = other.graph;
    for (int run = 0; run < theirs.runs(); run++) {
      int known = graph.known(theirs.name(theirs.agent(run)));
      int skipped = Math.max(0, known - theirs.sequence(run));
      int from = theirs.start(run) + skipped;
      if (from < theirs.end(run)) {
        int mine = graph.agent(theirs.name(theirs.agent(run)));
        int[] seen;
        if (skipped > 0) {
          seen = new int[] {graph.event(mine, known - 1)};
        } else {
          seen = mapped(theirs, theirs.parents(run));
        }
        graph.add(mine, theirs.end(run) - from, seen);
        operations.addAll(other.operations, from, theirs.end(run));
      }
    }
  }

  /** Events of another graph as events of this one; null where one of them is not known here. */
  private int @Nullable [] known(Graph theirs, int[] events) {
    for (int event : events) {
      String agent = theirs.name(theirs.agent(theirs.runOf(event)));
      if (graph.known(agent) <= theirs.sequenceOf(event)) {
        return null;
      }
    }
    return mapped(theirs, events);
  }

  /** Refuses events under this replica's name that were not made here. */
  private void requireOwnName(int events) {
    if (edited && events > graph.known(agentName)) {
      throw SharedNames.twoReplicas(agentName);
    }
  }

  private int[] mapped(Graph theirs, int[] events) {
    int[] result = new int[events.length];
    for (int i = 0; i < events.length; i++) {
      String agent = theirs.name(theirs.agent(theirs.runOf(events[i])));
      result[i] = graph.event(graph.agent(agent), theirs.sequenceOf(events[i]));
    }
    Arrays.sort(result);
    return result;
  }

  /** Adds events and brings the text up to them; where that fails, nothing has changed. */
  private void addAndCarryOut(Runnable addition) {
    Graph.Mark graphBefore = graph.mark();
    Operations.Mark operationsBefore = operations.mark();
    boolean done = false;
    try {
      addition.run();
      carryOut(graphBefore.end());
      done = true;
    } finally {
      if (!done) {
        graph.rollBack(graphBefore);
        operations.rollBack(operationsBefore);
      }
    }
  }

  private void carryOut(int before) {
    if (before == graph.size()) {
      return;
    }
    int base = graph.critical(before - 1);
    Walker walker = new Walker(graph, operations, base, before);
    walker.walk(base + 1, before, Sink.NOWHERE);
    TextEdits edits = new TextEdits(text.size());
    walker.walk(before, graph.size(), edits);
    edits.applyTo(text, operations.content());
  }

  /** For each agent the number of its events that are known here. */
  public Map<String, Integer> version() {
    Map<String, Integer> version = new TreeMap<>();
    for (int each = 0; each < graph.agents(); each++) {
      if (graph.known(each) > 0) {
        version.put(graph.name(each), graph.known(each));
      }
    }
    return version;
  }

  /** The whole history, compressed; format 1 of {@code docs/formats}. */
  public byte[] encode() {
    return HistoryWriter.toBytes(graph, operations, Map.of());
  }

  /** The events that a replica lacks which knows {@code version}. */
  public byte[] encodeSince(Map<String, Integer> version) {
    return HistoryWriter.toBytes(graph, operations, version);
  }

  /** The whole history as JSON: {@link #encode} in base64. See {@code docs/formats}. */
  public Json toJson() {
    return toJson(Map.of());
  }

  /** The events that a replica lacks which knows {@code version}, as JSON. */
  public Json toJson(Map<String, Integer> version) {
    return JsonObject.of(
        Map.of(
            "format", Json.of(1),
            "kind", Json.of("text"),
            "history", Json.of(Base64.getEncoder().encodeToString(encodeSince(version)))));
  }

  /**
   * Takes over the events of what {@link #toJson} returned.
   *
   * @throws IllegalArgumentException where it is anything else
   * @throws IllegalStateException as {@link #merge(byte[])}
   */
  public void mergeJson(Json json) {
    Members members = Members.of(json);
    if (members.number("format") != 1 || !members.text("kind").equals("text")) {
      throw new TextFormatException("not a text, or in a format that this release does not read");
    }
    byte[] history = Base64.getDecoder().decode(members.text("history"));
    members.end();
    merge(history);
  }

  /**
   * Takes over the events that bytes of {@link #encode} or {@link #encodeSince} hold.
   *
   * @throws TextFormatException where the bytes are not that, build on events that are not known
   *     here, or edit outside the text; nothing has changed
   * @throws IllegalStateException where two replicas edit under one agent name; nothing has changed
   */
  public void merge(byte[] bytes) {
    HistoryReader reader = HistoryReader.read(graph, bytes);
    requireOwnName(reader.eventsOf(agentName));
    reader.requireSame(new SharedNames(graph, operations));
    addAndCarryOut(() -> reader.addTo(operations));
  }

  /**
   * A place that stays where it is while the text around it changes.
   *
   * @param stickToNext true where it moves with the character behind it, false with that before it
   */
  public Anchor anchor(int position, boolean stickToNext) {
    if (position < 0 || position > text.size()) {
      throw outside(position);
    }
    int[] frontier = graph.frontier();
    Map<String, Integer> heads = new TreeMap<>();
    for (int event : frontier) {
      String agent = graph.name(graph.agent(graph.runOf(event)));
      heads.merge(agent, graph.sequenceOf(event), Math::max);
    }
    return new Anchor(heads, position, stickToNext);
  }

  /**
   * Where an anchor is now. Where its character was deleted, it is where that was.
   *
   * @throws IllegalArgumentException where the anchor was made on events that are not known here
   */
  public int position(Anchor anchor) {
    int[] heads = new int[anchor.heads().size()];
    int[] cuts = new int[heads.length];
    int count = 0;
    for (Map.Entry<String, Integer> head : anchor.heads().entrySet()) {
      if (graph.known(head.getKey()) <= head.getValue()) {
        throw new IllegalArgumentException("the anchor stands on events that are not known here");
      }
      heads[count++] = graph.event(graph.agent(head.getKey()), head.getValue());
    }
    Arrays.sort(heads);
    if (Arrays.equals(heads, graph.frontier())) {
      return Math.min(anchor.position(), text.size());
    }
    for (int i = 0; i < heads.length; i++) {
      cuts[i] = heads[i] + 1;
    }
    int base = graph.critical(heads.length == 0 ? -1 : heads[0]);
    Walker walker = new Walker(graph, operations, base, cuts);
    walker.walkTogether();
    return Math.min(walker.outcomeOf(heads, anchor.position(), anchor.stickToNext()), text.size());
  }

  public String agent() {
    return agentName;
  }

  /** The text. */
  @Override
  public String toString() {
    return text.toString();
  }

  private void trim() {
    graph.trim();
    operations.trim();
    text.trim();
  }
}
