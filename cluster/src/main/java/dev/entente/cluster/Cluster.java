// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.cluster.group.SplitBrain;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.engine.Node;
import dev.entente.engine.Sender;
import dev.entente.engine.Shipment;
import dev.entente.engine.StampedPolicy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A node's view of its cluster: who the members are, and a link to each. Members are told from node
 * to node with every exchange; what was said later about one holds. Thread-safe.
 */
public final class Cluster {
  /** Longer than nodes that have nothing to tell are silent. */
  static final long APART_MILLIS = 1_500;

  /** For so long it matters that a node says to have more of this one than it shows. */
  private static final long CLAIM_MILLIS = 60_000;

  /** After how long the same fault of a node is told again. */
  private static final long FAULT_AGAIN_MILLIS = 60_000;

  /** So many different faults are told in that time. */
  private static final int FAULTS_MAX = 100;

  private final Node node;
  private final ClusterConfig config;
  private final LongSupplier steadyMillis;

  /** Guarded by this, as the links are. */
  private final Members announced;

  private final Removals removals;

  /** When each was last heard, asking or answering. */
  private final Map<NodeId, Long> heardAt = new TreeMap<>();

  private final Map<NodeId, Meeting> meetings = new TreeMap<>();
  private final Copies copies = new Copies();

  /** What nodes sent that no node may send, and when that was told. */
  private final Map<String, Long> faultsToldAt = new TreeMap<>();

  private final Map<NodeId, NodeReport> reports = new TreeMap<>();

  /** How far the numbers of this node go at each other that has said what it has. */
  private final Map<NodeId, Long> ownNumbers = new TreeMap<>();

  /** Since when each says to have more of this node's numbers than this node. */
  private final Map<NodeId, Long> claimedAt = new TreeMap<>();

  /** As it was at the last exchange: a write does not wait for the links. */
  private volatile int measured;

  /** How many other members there are, by name. */
  private volatile int others;

  /** What this node tells of its standing. */
  private volatile Supplier<Optional<String>> standing = Optional::empty;

  /** By URL. */
  private final Map<String, Link> links = new TreeMap<>();

  /**
   * Joins: from here on the node tells others of itself.
   *
   * @param steadyMillis a clock that never jumps
   */
  public Cluster(Node node, ClusterConfig config, LongSupplier steadyMillis) {
    this.node = node;
    this.config = config;
    this.steadyMillis = steadyMillis;
    this.removals = new Removals(node);
    this.announced = new Members(node.id());
    long now = node.nowMillis();
    long since = config.sinceMillis() == 0 ? now : config.sinceMillis();
    announced.say(new Member(node.id(), config.url(), now, false, since));
    learn(List.of());
    node.measure(() -> measured);
    node.require(() -> others);
  }

  public Node node() {
    return node;
  }

  public ClusterConfig config() {
    return config;
  }

  /** The links to all others, by URL. */
  public synchronized List<Link> links() {
    return List.copyOf(links.values());
  }

  /** All that are or were members, by id. */
  public synchronized List<Member> members() {
    return announced.all().stream().map(each -> each.departed(isGone(each))).toList();
  }

  /**
   * Whether a member was removed, and has not said since it was admitted again that it is there.
   */
  private boolean isGone(Member member) {
    return !member.node().equals(node.id())
        && (removals.isRemoved(member.node())
            || member.stampMillis() <= removals.removedAtMillis(member.node()));
  }

  /** Why nothing is told to or taken from a node; empty where it was not removed. */
  public Optional<String> whyRemoved(NodeId who) {
    return removals.isRemoved(who)
        ? Optional.of(
            who
                + " was removed from this cluster; where that was a mistake, admit it again:"
                + " entente cluster readmit "
                + who.name())
        : Optional.empty();
  }

  /** Hears of members, from nobody whom they are. */
  public synchronized void learn(Collection<Member> told) {
    announced.learn(told, Optional.empty(), node.nowMillis());
    connect();
  }

  /** Has a link to each member. */
  private void connect() {
    outlive();
    List<String> wanted = new ArrayList<>(config.seeds());
    for (Member member : members()) {
      if (!member.departed() && !member.node().equals(node.id())) {
        wanted.add(member.url());
      }
    }
    others = present().size() - 1;
    wanted.removeIf(url -> url.isEmpty() || url.equals(config.url()) || isAbandoned(url));
    links.keySet().retainAll(wanted);
    for (String url : wanted) {
      links.computeIfAbsent(url, _ -> new Link(node, url, config, steadyMillis.getAsLong()));
    }
  }

  /**
   * Says once more that this node is there, where what it was before it lost its disk or went back
   * in time said so under a clock that was ahead of what it is now, see {@link #present}, or where
   * it was removed and has been admitted again.
   */
  private void outlive() {
    Member self = announced.self();
    long removedAt = removals.removedAtMillis(node.id());
    if (self != null && self.stampMillis() <= removedAt) {
      self = new Member(self.node(), self.url(), removedAt + 1, false, self.sinceMillis());
      announced.say(self);
    }
    for (Member other : members()) {
      if (self != null
          && !other.node().equals(node.id())
          && other.node().name().equals(node.id().name())
          && !other.departed()
          && other.stampMillis() >= self.stampMillis()
          && other.stampMillis() < Long.MAX_VALUE) {
        self =
            new Member(self.node(), self.url(), other.stampMillis() + 1, false, self.sinceMillis());
        announced.say(self);
      }
    }
  }

  /** Hears of removals from another node; what is not proven has no effect, and is told. */
  private void hear(PullReply reply) {
    for (Removal unproven : removals.learn(reply.removals())) {
      fault(
          Sender.at(reply.shipment().from(), ""),
          "that "
              + unproven.node()
              + (unproven.isInForce() ? " was removed" : " was admitted again")
              + ", which no administrator has signed whom this node trusts");
    }
  }

  /** Hears of members from another node; what cannot be one is left out, and told. */
  private synchronized void learn(Collection<Member> told, NodeId teller) {
    List<Member> members = new ArrayList<>(told.size());
    for (Member member : told) {
      Optional<String> problem = Member.problemWithUrl(member.url());
      if (problem.isPresent()) {
        fault(Sender.at(teller, ""), "a member: " + problem.get());
      } else {
        members.add(member);
      }
    }
    for (Member refused : announced.learn(members, Optional.of(teller), node.nowMillis())) {
      fault(
          Sender.at(teller, ""),
          "a member: "
              + refused.node()
              + (announced.knows(refused.node())
                  ? " said that it is there in " + refused.stampMillis() + ", which is to come"
                  : ", where " + Members.MAX + " are known already"));
    }
    connect();
  }

  /** Tells that a node sent what no node may send; the same once a while. */
  public synchronized void fault(Sender sender, String what) {
    long now = steadyMillis.getAsLong();
    faultsToldAt.values().removeIf(at -> now - at >= FAULT_AGAIN_MILLIS);
    if (faultsToldAt.size() < FAULTS_MAX
        && faultsToldAt.putIfAbsent(sender + " " + what, now) == null) {
      var _ = node.noteFault(sender, what);
    }
  }

  /** Takes note of what a node tells with a reply to a question of this one. */
  public void heard(PullRequest asked, PullReply reply) {
    note(asked, reply);
    measured = clockErrorMillis();
    OptionalLong ahead = othersAheadMillis();
    if (ahead.isPresent() && node.compareClock(ahead.getAsLong())) {
      links().forEach(Link::forgetClock);
    }
  }

  private synchronized void note(PullRequest asked, PullReply reply) {
    hear(reply);
    learn(reply.members(), reply.shipment().from());
    meets(reply.shipment().from(), asked.known(), reply.shipment().known());
    NodeId from = reply.shipment().from();
    if (asked.to().equals(Optional.of(from))) {
      // Else it was only an introduction.
      long number = reply.shipment().known().get(node.id());
      ownNumbers.put(from, number);
      if (number > node.position()) {
        claimedAt.putIfAbsent(from, steadyMillis.getAsLong());
      } else {
        claimedAt.remove(from);
      }
    }
    NodeReport before = reports.get(from);
    // To somebody whom it has not met, a node does not say what it has.
    VersionVector known =
        reply.shipment().known().isEmpty() && before != null
            ? before.known()
            : reply.shipment().known();
    reports.put(
        from, new NodeReport(known, reply.links(), reply.standing(), steadyMillis.getAsLong()));
    reports.keySet().retainAll(announced.nodes());
    ownNumbers.keySet().retainAll(announced.nodes());
    claimedAt.keySet().retainAll(announced.nodes());
    copies.retain(present().stream().map(Member::node).toList());
  }

  /** Takes note of a node that was silent for so long that the two may have diverged. */
  private synchronized void meets(NodeId peer, VersionVector mine, VersionVector theirs) {
    if (theirs.isEmpty()) {
      return;
    }
    long now = steadyMillis.getAsLong();
    Long before = heardAt.put(peer, now);
    if (before != null && now - before >= APART_MILLIS) {
      meetings.putIfAbsent(peer, new Meeting(now - before, mine, theirs));
    }
  }

  /** Who has been met again since this was asked last. */
  synchronized Map<NodeId, Meeting> takeMeetings() {
    Map<NodeId, Meeting> taken = new TreeMap<>(meetings);
    meetings.clear();
    return taken;
  }

  /** What others have, as they acknowledge it. */
  Copies copies() {
    return copies;
  }

  /**
   * The members that have not left for good, this node among them, by name: of several under one
   * name that which said so last, since the others are what it was before it lost its disk or went
   * back in time.
   */
  public List<Member> present() {
    Map<String, Member> byName = new TreeMap<>();
    for (Member member : members()) {
      if (!member.departed()) {
        byName.merge(member.node().name(), member, this::later);
      }
    }
    return List.copyOf(byName.values());
  }

  /**
   * The nodes that have not left for good, as far as this one may rely on it; none while it has not
   * met any of those that it was told to ask, such as after it was restored from a backup.
   */
  public List<NodeId> acquainted() {
    boolean alone = config.seeds().stream().allMatch(config.url()::equals);
    boolean met =
        members().stream().anyMatch(member -> !member.node().name().equals(node.id().name()));
    return met || alone ? present().stream().map(Member::node).toList() : List.of();
  }

  private Member later(Member one, Member other) {
    return other.node().equals(node.id())
            || (!one.node().equals(node.id()) && other.stampMillis() >= one.stampMillis())
        ? other
        : one;
  }

  /** Where a node of a name is reached, if its link is up. */
  public Optional<String> urlOf(String name) {
    return status().stream()
        .filter(LinkStatus::isUp)
        .filter(link -> link.peer().map(NodeId::name).equals(Optional.of(name)))
        .map(LinkStatus::url)
        .findFirst();
  }

  /** What other members last told of themselves. */
  public synchronized Map<NodeId, NodeReport> others() {
    return new TreeMap<>(reports);
  }

  /** How far the numbers of this node go at each other that has said what it has. */
  synchronized Map<NodeId, Long> ownNumbers() {
    return Map.copyOf(ownNumbers);
  }

  /**
   * Waits for each node that this one knows of to say what it has, or not to answer. Where this
   * node's directory went back in time it hears of that, and stops, before it gives numbers that
   * others have already: those would never agree with this node again. So once one of them has said
   * that it has more, this waits until the other has shown a version, by which the node stops, or
   * its whole log without one; but not for ever, since the other may only say so.
   *
   * @param patienceMillis for how long at most, where nobody has said so
   */
  public void askAround(long patienceMillis) throws InterruptedException {
    long end = steadyMillis.getAsLong() + patienceMillis;
    while (node.failure().isEmpty()
        && steadyMillis.getAsLong() < end + CLAIM_MILLIS
        && !(isRecent() && (hasAskedAround() || steadyMillis.getAsLong() >= end))) {
      Thread.sleep(10);
    }
  }

  private boolean hasAskedAround() {
    Set<NodeId> told = ownNumbers().keySet();
    return status().stream()
        .allMatch(
            link -> !link.problem().isEmpty() || link.peer().filter(told::contains).isPresent());
  }

  /**
   * Whether nobody says that they have more of what this node wrote than it has itself, save who
   * has shown that there is no version under those numbers, or shows nothing for a minute.
   */
  synchronized boolean isRecent() {
    long now = steadyMillis.getAsLong();
    for (Map.Entry<NodeId, Long> said : ownNumbers.entrySet()) {
      Optional<NodeId> peer = Optional.of(said.getKey());
      if (said.getValue() > node.position()
          && now - claimedAt.getOrDefault(said.getKey(), now) < CLAIM_MILLIS
          && links.values().stream()
              .noneMatch(link -> link.peer().equals(peer) && link.examined() >= said.getValue())) {
        return false;
      }
    }
    return true;
  }

  /** From here on this node votes, and tells others how its side stands; see {@link PullReply}. */
  void tells(Supplier<Optional<String>> told) {
    standing = told;
  }

  /** How a split looks from here. */
  SplitBrain.View view(Optional<String> leader) {
    NavigableMap<String, Long> since = new TreeMap<>();
    for (Member member : present()) {
      since.merge(member.node().name(), member.sinceMillis(), Math::min);
    }
    NavigableSet<String> side = new TreeSet<>(List.of(node.id().name()));
    Map<NodeId, NodeReport> told = others();
    for (LinkStatus link : status()) {
      if (link.isUp() && link.peer().isPresent()) {
        NodeId peer = link.peer().get();
        side.add(peer.name());
        NodeReport report = told.get(peer);
        if (report != null) {
          report.links().stream()
              .filter(LinkReport::isUp)
              .forEach(reached -> side.add(reached.peer().name()));
        }
      }
    }
    return new SplitBrain.View(since, side, leader);
  }

  /** How those that this node reaches and that vote stand, who told last first. */
  List<String> standings() {
    return standing().map(said -> said.getValue().standing().orElseThrow()).toList();
  }

  /** Those that this node reaches and that vote, who told last first. */
  List<NodeId> voting() {
    return standing().map(Map.Entry::getKey).toList();
  }

  private Stream<Map.Entry<NodeId, NodeReport>> standing() {
    Map<NodeId, NodeReport> told = others();
    told.keySet()
        .retainAll(
            status().stream()
                .filter(LinkStatus::isUp)
                .flatMap(link -> link.peer().stream())
                .collect(Collectors.toSet()));
    return told.entrySet().stream()
        .filter(said -> said.getValue().standing().isPresent())
        .sorted(
            Comparator.comparingLong(
                    (Map.Entry<NodeId, NodeReport> said) -> said.getValue().heardMillis())
                .reversed());
  }

  /** What this node tells of its links. */
  private List<LinkReport> reports() {
    List<LinkReport> told = new ArrayList<>();
    for (LinkStatus link : status()) {
      link.peer()
          .ifPresent(peer ->
              told.add(
                  new LinkReport(
                      peer,
                      link.state(),
                      link.behindMillis(),
                      link.roundTripMillis(),
                      link.clockOffsetMillis())));
    }
    return told;
  }

  /** Whether only nodes that have left were ever at a URL. */
  private boolean isAbandoned(String url) {
    boolean left = false;
    for (Member member : members()) {
      if (member.url().equals(url)) {
        if (!member.departed()) {
          return false;
        }
        left = true;
      }
    }
    return left;
  }

  /**
   * Removes a node, and tells everybody. It is neither asked nor answered until it is admitted
   * again; what it wrote stays. A name, and the latest incarnation under it, mean all incarnations
   * of the name; an earlier incarnation means that one.
   *
   * @return false where no such node is a member
   */
  public synchronized boolean depart(NodeId who) {
    List<Member> leaving =
        members().stream()
            .filter(member -> member.node().answersTo(who) && !node.id().answersTo(who))
            .toList();
    if (leaving.isEmpty()) {
      return false;
    }
    boolean latest = present().stream().anyMatch(member -> member.node().equals(who));
    NodeId whom = latest ? new NodeId(who.name()) : who;
    long said = leaving.stream().mapToLong(Member::stampMillis).max().orElse(0);
    removals.remove(whom, said);
    for (Member known : leaving) {
      var _ = node.forgetUnprovenAccess(known.node().name(), known.url());
      var _ = node.forgetFaults(known.node().name());
    }
    learn(List.of());
    return true;
  }

  /**
   * Admits a node again that was removed, and tells everybody.
   *
   * @return false where it was not removed
   */
  public synchronized boolean readmit(NodeId who) {
    boolean removed = removals.admit(who);
    learn(List.of());
    return removed;
  }

  /** Takes note of a question as it comes, before it waits for an answer: it acknowledges. */
  public void asked(PullRequest request) {
    copies.has(request.from(), request.known());
    meets(request.from(), node.known(), request.known());
  }

  /**
   * Answers another node; waits for nothing.
   *
   * @param receivedAtMillis the node's clock when the question came
   */
  public PullReply answer(PullRequest request, long receivedAtMillis) {
    learn(request.members(), request.from());
    asked(request);
    long now = steadyMillis.getAsLong();
    links().stream()
        .filter(link -> link.peer().equals(Optional.of(request.from())))
        .forEach(link -> link.isThere(now));
    Shipment shipment =
        request.to().equals(Optional.of(node.id())) ? shipment(request) : introduction();
    List<StampedPolicy> policies = node.policies();
    return new PullReply(
        shipment,
        node.position(),
        receivedAtMillis,
        node.nowMillis(),
        members(),
        reports(),
        standing.get(),
        hash(policies),
        request.policies() ? policies : List.of(),
        removals.all());
  }

  private Shipment shipment(PullRequest request) {
    // Who waits for news has had all before; who does not may just have been started.
    Optional<Shipment> lost =
        request.waitMillis() == 0
            ? node.shipLost(request.from(), request.known().get(request.from()))
            : Optional.empty();
    return lost.orElseGet(() -> node.ship(request.after(), request.known(), bytes(request)));
  }

  /** Equal where the same policies of the same stamps are in force. */
  static long hash(List<StampedPolicy> policies) {
    long hash = 0xcbf29ce484222325L;
    for (StampedPolicy policy : policies) {
      String line =
          policy.tenant()
              + '/'
              + policy.type()
              + '/'
              + policy.stamp().packed()
              + '/'
              + policy.node();
      for (int i = 0; i < line.length(); i++) {
        hash = (hash ^ line.charAt(i)) * 0x100000001b3L;
      }
    }
    return hash;
  }

  private int bytes(PullRequest request) {
    return Math.min(request.bytesMax(), config.shipmentBytesMax());
  }

  /** For somebody who has not met this node: nothing but who it is. */
  private Shipment introduction() {
    return new Shipment(node.id(), 0, List.of(), 0, false, VersionVector.EMPTY);
  }

  /** Cuts or heals the link to a node, by its name, here only; false where there is none. */
  public boolean cut(NodeId peer, boolean cut) {
    Optional<Link> link =
        links().stream()
            .filter(l -> l.peer().filter(node -> node.answersTo(peer)).isPresent())
            .findFirst();
    link.ifPresent(found -> found.cut(cut));
    return link.isPresent();
  }

  /** Whether an operator has cut the link to a node. */
  public boolean isCut(NodeId peer) {
    return links().stream().anyMatch(l -> l.isCut() && l.peer().equals(Optional.of(peer)));
  }

  /**
   * By how much this node's clock is off that of most: the middle of what its links measure, in
   * tens of milliseconds, less than one can tell of. Of two nodes nobody knows which is off, and
   * both say so.
   */
  int clockErrorMillis() {
    List<Long> offsets = new ArrayList<>(List.of(0L));
    for (LinkStatus link : status()) {
      if (link.isUp()) {
        long certain = Math.abs(link.clockOffsetMillis()) - link.clockErrorMillis();
        offsets.add(certain <= 0 ? 0 : Long.signum(link.clockOffsetMillis()) * certain);
      }
    }
    offsets.sort(null);
    long low = Math.abs(offsets.get((offsets.size() - 1) / 2));
    long high = Math.abs(offsets.get(offsets.size() / 2));
    return Math.clamp(Math.max(low, high) / 10 * 10, 0, Integer.MAX_VALUE);
  }

  /**
   * How far most other nodes' clocks are ahead of this one, for certain; negative where they are
   * behind. Of two nodes nobody knows which is off: the one that is ahead counts as wrong, since
   * what it writes would be held back by the other. Empty where no other node was measured.
   */
  private OptionalLong othersAheadMillis() {
    List<Long> offsets = new ArrayList<>(List.of(0L));
    for (LinkStatus link : status()) {
      if (link.isUp() && link.roundTripMillis() >= 0) {
        long certain = Math.max(0, Math.abs(link.clockOffsetMillis()) - link.clockErrorMillis());
        offsets.add(Long.signum(link.clockOffsetMillis()) * certain);
      }
    }
    offsets.sort(null);
    return offsets.size() < 2
        ? OptionalLong.empty()
        : OptionalLong.of(offsets.get((offsets.size() - 1) / 2));
  }

  /** The clock that never jumps. */
  public long nowMillis() {
    return steadyMillis.getAsLong();
  }

  /** All links as they are now. */
  public List<LinkStatus> status() {
    long now = steadyMillis.getAsLong();
    return links().stream().map(link -> link.status(now)).toList();
  }
}
