// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.cluster.group.Group;
import dev.entente.cluster.group.NotLeadingException;
import dev.entente.cluster.group.Voters;
import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import dev.entente.engine.Node;
import dev.entente.engine.store.Folders;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;

/**
 * Who has a seat among the voters. A voter that forgot what it voted on could vote again, and what
 * was agreed on would be lost: so a node that brings no memory of votes asks all others whether
 * somebody of its name voted before, and they remember for good whom they said yes to. Who is not
 * to begin the group waits until an operator lets it in. Thread-safe.
 *
 * <p>Source: Ongaro, <i>Consensus: bridging theory and practice</i>, 2014, chapter 4 (members are
 * added and removed by the group itself) and section 11.7.2 (a lost disk is a lost member).
 */
public final class Seats {
  private static final String WAITING = "waiting";
  private static final int TEXT_MAX = 500;
  private static final int CHANGED = 0;
  private static final int WRONG = 1;
  private static final int UNCHANGED = 2;

  private final Node node;
  private final Cluster cluster;
  private final Transport transport;
  private final Authority authority;

  /** The names of those who began the group, as this node was told. */
  private final List<String> first;

  /** Why this node does not vote; empty where it does. */
  private volatile String waitsFor;

  private volatile Optional<String> steppedBack = Optional.empty();

  /** What a node brings that wants to vote. */
  private enum Memory {
    /** It never voted. */
    NONE,
    /** It voted once, and what it voted on is gone, or was put back as it once was. */
    LOST,
    /** All that it voted on. */
    KEPT
  }

  /** What another voter says to a node that wants to vote. */
  private enum Answer {
    /** It may begin the group with the others. */
    BEGIN,
    /** It has no seat, and may wait to be let in. */
    WAIT,
    /** A node of its name has a seat. */
    TAKEN,
    /** Who was asked cannot say. */
    UNKNOWN
  }

  /**
   * A change of the voters.
   *
   * @param address where the voter listens for the others, {@code host:port}; empty for one that
   *     goes
   */
  public record Change(String name, String address) {
    /** As one node sends it to another. */
    public byte[] toBytes() {
      return new ByteWriter().text(name).text(address).toBytes();
    }

    /** Reads what {@link #toBytes} wrote. */
    public static Change fromBytes(byte[] bytes) {
      ByteReader in = new ByteReader(bytes);
      Change change = new Change(in.text(), in.text());
      if (change.name.length() > TEXT_MAX || change.address.length() > TEXT_MAX) {
        throw new DamagedException("a name and an address have at most " + TEXT_MAX + " letters");
      }
      return change;
    }
  }

  /**
   * Seats of a cluster.
   *
   * @param first the names of those who begin the group
   */
  public Seats(
      Node node, Cluster cluster, Transport transport, Authority authority, List<String> first) {
    this.node = node;
    this.cluster = cluster;
    this.transport = transport;
    this.authority = authority;
    this.first = List.copyOf(first);
    waitsFor = first.contains(self()) ? "has not begun" : "";
  }

  /** Who votes, as far as this node knows; empty where nobody does. */
  public List<String> voters() {
    return authority.group().map(Seats::members).orElse(first);
  }

  /** Whether a node of this name votes or is to begin the group, as far as this node knows. */
  public boolean isVoter(String name) {
    return first.contains(name)
        || voters().contains(name)
        || cluster.voting().stream().anyMatch(voter -> voter.name().equals(name));
  }

  /** Why this node, which is to vote, does not; empty where it does. */
  public String waitsFor() {
    return waitsFor;
  }

  /**
   * Finds out how this node may take part, and waits for nobody.
   *
   * @param again whether it took part before and no longer does
   * @return the voters to begin or go on with, or to wait for
   * @throws UnavailableException where that is not known now, or somebody has this node's seat
   */
  public Voters prepare(Voters voters, boolean again) throws IOException, InterruptedException {
    Memory memory = memory(voters.directory());
    if (memory == Memory.KEPT && !again) {
      requireRecent();
      return voters;
    }
    Map<String, Answer> answers = ask(memory);
    if (answers.containsValue(Answer.WAIT) && !answers.containsValue(Answer.TAKEN)) {
      return waits(voters);
    }
    boolean begins = answers.values().stream().allMatch(Answer.BEGIN::equals);
    if (memory == Memory.KEPT || (begins && memory == Memory.NONE)) {
      return voters;
    }
    waitsFor =
        answers.containsValue(Answer.TAKEN) || memory == Memory.LOST
            ? "a node called "
                + self()
                + " voted before, and what it voted on is not here. If that disk is lost: entente"
                + " cluster remove-voter "
                + self()
            : unasked(answers) + " to say that no node called " + self() + " has voted before";
    throw new UnavailableException(waitsFor);
  }

  /**
   * A directory that was put back remembers less than it had voted on, and does not know. Others
   * do, by the numbers that this node gave; then the node stops, and continues under its next
   * incarnation, which has not voted. As many have to say so as it takes for a majority with it.
   */
  private void requireRecent() throws UnavailableException {
    if (!cluster.isRecent()) {
      waitsFor = "others have more of what this node wrote than it has itself";
    } else if (cluster.ownNumbers().size() < first.size() / 2) {
      waitsFor = "waits for other nodes to say how much they have of what this one wrote";
    } else {
      return;
    }
    throw new UnavailableException(waitsFor);
  }

  private String self() {
    return node.id().name();
  }

  private static String unasked(Map<String, Answer> answers) {
    List<String> silent = new ArrayList<>();
    answers.forEach((name, answer) -> {
      if (answer == Answer.UNKNOWN) {
        silent.add(name);
      }
    });
    return "waits for " + String.join(", ", silent);
  }

  /** Forgets a group that goes on without this node: whoever lets it in again sends all of it. */
  private Voters waits(Voters voters) throws IOException {
    Path directory = Folders.create(voters.directory());
    Path waiting = directory.resolve(WAITING);
    if (!Files.exists(waiting)) {
      Folders.createFile(waiting);
    }
    // Before anything goes, or a power cut could leave a part of the votes that looks like all.
    Folders.sync(directory);
    try (Stream<Path> kept = Files.list(directory)) {
      for (Path old : kept.filter(file -> !file.equals(waiting)).toList()) {
        Folders.delete(old);
      }
    }
    waitsFor = toBeLetIn(voters);
    return voters.waits();
  }

  private String toBeLetIn(Voters voters) {
    return "waits to be let in: entente cluster add-voter "
        + self()
        + "="
        + voters.addresses().getOrDefault(self(), "");
  }

  private Memory memory(Path directory) throws IOException {
    if (Files.isDirectory(directory) && !Files.exists(directory.resolve(WAITING))) {
      try (Stream<Path> kept = Files.list(directory)) {
        if (kept.findAny().isPresent()) {
          boolean other = holder(self()).filter(who -> !who.equals(node.id())).isPresent();
          return other ? Memory.LOST : Memory.KEPT;
        }
      }
    }
    return holder(self()).equals(Optional.of(node.id())) ? Memory.LOST : Memory.NONE;
  }

  /** From here on this node votes: it is a member of the group that has just let it in or begun. */
  public void takes(Group voting, Voters voters) {
    try {
      Files.deleteIfExists(voters.directory().resolve(WAITING));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    note(node.id());
    authority.join(voting);
    waitsFor = "";
  }

  /**
   * Does not vote until this node is started again: it cannot apply what the others agreed on as
   * they do. It goes on to serve as a node without a vote.
   */
  public void stepsBack(String why) {
    steppedBack = Optional.of(why);
    waitsFor = why;
    authority.leave();
  }

  /** Why this voter has stepped back; empty where it has not. */
  public Optional<String> steppedBack() {
    return steppedBack;
  }

  /** From here on this node does not vote. */
  public void leaves(Voters voters) {
    waitsFor = toBeLetIn(voters);
    authority.leave();
  }

  /**
   * Has a node keep its seat that continues under another incarnation though all that it voted on
   * is there.
   */
  public static void keepSeat(Node node, NodeId former) {
    String note = noteOf(former.name());
    if (who(node.kept(note)).equals(Optional.of(former))) {
      node.keep(note, written(node.id())).join();
    }
  }

  private static Optional<NodeId> who(Optional<byte[]> note) {
    return note.map(bytes -> new NodeId(new ByteReader(bytes).text()));
  }

  private static byte[] written(NodeId voter) {
    return new ByteWriter().text(voter.value()).toBytes();
  }

  private static String noteOf(String name) {
    return "voter/" + name;
  }

  /** Who votes under a name, as this node once heard. */
  private Optional<NodeId> holder(String name) {
    return who(node.kept(noteOf(name)));
  }

  private void note(NodeId voter) {
    if (!holder(voter.name()).equals(Optional.of(voter))) {
      node.keep(noteOf(voter.name()), written(voter)).join();
    }
  }

  /** Remembers who votes. Called now and then. */
  public void look() {
    cluster.voting().forEach(this::note);
  }

  private Map<String, Answer> ask(Memory memory) throws InterruptedException {
    TreeSet<String> asked = new TreeSet<>(first);
    cluster.voting().forEach(voter -> asked.add(voter.name()));
    asked.remove(self());
    Map<String, Answer> answers = new TreeMap<>();
    for (String name : asked) {
      answers.put(name, ask(name, memory));
    }
    return answers;
  }

  private Answer ask(String name, Memory memory) throws InterruptedException {
    Optional<String> url = cluster.urlOf(name);
    if (url.isEmpty()) {
      return Answer.UNKNOWN;
    }
    try {
      byte[] told = transport.post(url.get(), node.id(), "seat", sent(memory), Optional.empty());
      return read(Answer.class, told).orElse(Answer.UNKNOWN);
    } catch (IOException e) {
      return Answer.UNKNOWN;
    }
  }

  private static byte[] sent(Enum<?> word) {
    return word.name().getBytes(StandardCharsets.US_ASCII);
  }

  private static <E extends Enum<E>> Optional<E> read(Class<E> words, byte[] sent) {
    String word = new String(sent, StandardCharsets.US_ASCII);
    return EnumSet.allOf(words).stream().filter(known -> known.name().equals(word)).findFirst();
  }

  /**
   * Answers a node that wants to vote.
   *
   * @param sent what it remembers, as it was sent
   * @throws DamagedException where that cannot be read
   */
  public byte[] answer(NodeId who, byte[] sent) {
    return sent(
        answer(
            who,
            read(Memory.class, sent)
                .orElseThrow(
                    () -> new DamagedException("this does not say what a voter remembers"))));
  }

  /** Whether a node may vote; remembers for good where it may begin. */
  private synchronized Answer answer(NodeId who, Memory memory) {
    String name = who.name();
    Optional<Group> voting = authority.group();
    Optional<NodeId> holder = holder(name);
    boolean begins = memory == Memory.NONE && (holder.isEmpty() || holder.get().equals(who));
    if (begins && voting.map(Seats::members).orElse(first).contains(name)) {
      note(who);
      return Answer.BEGIN;
    }
    if (voting.isEmpty()) {
      return Answer.UNKNOWN;
    }
    try {
      // Who was let in or removed last shows once all that was agreed on is applied here.
      voting.get().barrier().join();
    } catch (CompletionException e) {
      return Answer.UNKNOWN;
    }
    return members(voting.get()).contains(name) ? Answer.TAKEN : Answer.WAIT;
  }

  private static List<String> members(Group voting) {
    return voting.standing().voters();
  }

  /**
   * Lets a voter in or has one go, wherever the leader is. A new one is served already, with {@code
   * --voters} that name it, and has caught up when this returns.
   *
   * @param credential what the client showed who asks for it, for the node that leads
   * @return where each voter listens from here on
   * @throws UnavailableException where the voters could not be changed
   * @throws IllegalArgumentException where they cannot be changed so
   */
  public Map<String, String> change(Change change, Optional<String> credential) {
    try {
      return authority
          .atTheLeader(
              voting ->
                  LeaderClient.attempt(
                      () -> CompletableFuture.completedFuture(changed(voting, change))),
              (host, url) ->
                  host.post(url, "voters", change.toBytes(), credential).thenApply(Seats::told))
          .join();
    } catch (CompletionException e) {
      throw LeaderClient.unwrapped(e);
    }
  }

  private Map<String, String> changed(Group voting, Change change) {
    Map<String, String> voters = new TreeMap<>(voting.addresses());
    if (change.address().isEmpty()) {
      if (voters.remove(change.name()) == null || voters.isEmpty()) {
        throw new IllegalArgumentException(
            change.name()
                + " is not one of several voters; they are "
                + String.join(", ", voting.addresses().keySet()));
      }
    } else {
      if (voters.put(change.name(), change.address()) != null) {
        throw new IllegalArgumentException(
            change.name() + " votes already; remove it first to let it in anew");
      }
      note(newcomer(change.name()));
    }
    voting.change(voters).join();
    return voters;
  }

  /**
   * Does the same for another node, on the one that leads; what comes of it, as it is sent.
   *
   * @throws NotLeadingException where that is another
   */
  public byte[] changeFor(Group voting, Change change) {
    try {
      ByteWriter out = new ByteWriter().u8(CHANGED);
      Map<String, String> voters = changed(voting, change);
      out.varint(voters.size());
      voters.forEach((name, address) -> out.text(name).text(address));
      return out.toBytes();
    } catch (IllegalArgumentException e) {
      return new ByteWriter().u8(WRONG).text(String.valueOf(e.getMessage())).toBytes();
    } catch (CompletionException e) {
      Throwable why = e.getCause() == null ? e : e.getCause();
      if (why instanceof NotLeadingException not) {
        throw not;
      }
      return new ByteWriter().u8(UNCHANGED).text(String.valueOf(why.getMessage())).toBytes();
    }
  }

  /** Reads what {@link #changeFor} answered. */
  static Map<String, String> told(byte[] sent) {
    ByteReader in = new ByteReader(sent);
    int kind = in.u8();
    if (kind == WRONG || kind == UNCHANGED) {
      String why = in.text();
      in.expectEnd();
      throw kind == WRONG ? new IllegalArgumentException(why) : new UnavailableException(why);
    }
    if (kind != CHANGED) {
      throw new DamagedException("an unknown answer to a change of the voters");
    }
    Map<String, String> voters = new TreeMap<>();
    for (int left = in.count(); left > 0; left--) {
      voters.put(in.text(), in.text());
    }
    in.expectEnd();
    return voters;
  }

  private NodeId newcomer(String name) {
    return cluster.present().stream()
        .map(Member::node)
        .filter(member -> member.name().equals(name))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "no member is called "
                    + name
                    + "; start it first, with --peers and with --voters that name it"));
  }
}
