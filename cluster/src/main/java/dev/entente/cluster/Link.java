// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.NodeId;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.engine.Intake;
import dev.entente.engine.Node;
import dev.entente.engine.Sender;
import dev.entente.engine.StampedPolicy;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;

/**
 * One direction of one pair of nodes: this node asks, the other ships, this node takes. The link
 * says what to ask and when; whoever drives it carries the question there and the reply or the
 * failure back. Replies may be lost, late or doubled. Times are milliseconds of a clock that never
 * jumps, unless they are said to be of the physical one. Thread-safe.
 */
public final class Link {
  /** After so many failures in a row a peer counts as unreachable, whatever its habits. */
  private static final int FAILURES_SUSPECT = 3;

  private final Node node;
  private final String url;
  private final ClusterConfig config;
  private final FailureDetector detector;
  private final ClockOffset clock = new ClockOffset();
  private Optional<NodeId> peer = Optional.empty();
  private long nextAtMillis;
  private int failures;
  private long peerPosition;
  private long inStepAtMillis = -1;
  private long heardAtMillis = -1;
  private long applied;
  private boolean cut;
  private boolean policiesDiffer;
  private boolean refused;
  private String problem = "";

  /** What the peer said to have of this node and, as its whole log showed, is no version. */
  private long examined;

  Link(Node node, String url, ClusterConfig config, long nowMillis) {
    this.node = node;
    this.url = url;
    this.config = config;
    this.detector = new FailureDetector(Math.max(500, config.waitMillis()));
    this.nextAtMillis = nowMillis;
  }

  public String url() {
    return url;
  }

  /** Who answers there, once it has. */
  public synchronized Optional<NodeId> peer() {
    return peer;
  }

  /** Up to which of this node's numbers the peer's whole log was looked through. */
  synchronized long examined() {
    return examined;
  }

  /** When to ask next. */
  public synchronized long nextAtMillis() {
    return nextAtMillis;
  }

  /** Whether an operator has cut it. */
  public synchronized boolean isCut() {
    return cut;
  }

  synchronized void cut(boolean now) {
    cut = now;
  }

  /** Measures the other's clock anew, since this node's was set. */
  synchronized void forgetClock() {
    clock.forget();
  }

  /** What to ask now. The other waits for news only where it has told all that was. */
  public synchronized PullRequest request(List<Member> members) {
    return new PullRequest(
        node.id(),
        peer,
        peer.map(node::cursor).orElse(0L),
        node.known(),
        config.shipmentBytesMax(),
        failures == 0 && inStepAtMillis >= 0 ? config.waitMillis() : 0,
        node.nowMillis(),
        members,
        policiesDiffer);
  }

  /**
   * Takes a reply.
   *
   * @param asked the request that it answers
   * @return what became of the versions; empty where the reply was only an introduction
   */
  public Optional<Intake> replied(PullRequest asked, PullReply reply, long nowMillis) {
    if (!hears(asked, reply, nowMillis)) {
      return Optional.empty();
    }
    // Without the lock: the node may be asking this link how it is.
    try {
      String unused = adopt(reply);
      Intake intake = node.take(reply.shipment(), url).join();
      took(intake, unused, reply, nowMillis);
      return Optional.of(intake);
    } catch (CompletionException | IllegalArgumentException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      refuses(String.valueOf(cause.getMessage()), nowMillis);
      return Optional.empty();
    }
  }

  /** Takes note that the other is there; false where the reply is only an introduction. */
  private synchronized boolean hears(PullRequest asked, PullReply reply, long nowMillis) {
    clock.exchanged(
        asked.sentAtMillis(), reply.receivedAtMillis(), reply.sentAtMillis(), node.nowMillis());
    detector.heard(nowMillis);
    heardAtMillis = nowMillis;
    failures = 0;
    refused = false;
    problem = "";
    peerPosition = reply.position();
    boolean introduced = !peer.equals(Optional.of(reply.shipment().from()));
    peer = Optional.of(reply.shipment().from());
    if (introduced && !asked.to().equals(peer)) {
      nextAtMillis = nowMillis;
      return false;
    }
    return true;
  }

  private synchronized void took(Intake intake, String unused, PullReply reply, long nowMillis) {
    policiesDiffer = Cluster.hash(node.policies()) != reply.policiesHash();
    applied += intake.applied();
    problem = intake.problem().isEmpty() ? unused : intake.problem();
    if (problem.isEmpty() && reply.shipment().complete()) {
      inStepAtMillis = nowMillis;
    }
    if (intake.problem().isEmpty() && reply.shipment().complete()) {
      examined = Math.max(examined, reply.shipment().known().get(node.id()));
    }
    refused = !problem.isEmpty();
    nextAtMillis = nowMillis + (refused ? backOff() : config.pauseMillis());
  }

  private synchronized void refuses(String why, long nowMillis) {
    problem = why;
    refused = true;
    nextAtMillis = nowMillis + backOff();
  }

  /**
   * Takes over what is later of the other's policies.
   *
   * @return which of them cannot be used here; empty where all can
   */
  private String adopt(PullReply reply) {
    String unused = "";
    for (StampedPolicy policy : reply.policies()) {
      try {
        node.adopt(policy, policy.node().value()).join();
      } catch (PolicyException e) {
        unused =
            "the policy of "
                + policy.tenant()
                + "/"
                + policy.type()
                + " there cannot be used here: "
                + e.getMessage();
      } catch (IllegalArgumentException e) {
        var _ =
            node.noteFault(Sender.at(reply.shipment().from(), url), "a policy: " + e.getMessage());
      }
    }
    return unused;
  }

  /** No reply came. */
  public synchronized void failed(String why, long nowMillis) {
    problem = why;
    refused = false;
    nextAtMillis = nowMillis + backOff();
  }

  /** The peer has asked something, so it is worth asking it at once. */
  synchronized void isThere(long nowMillis) {
    if (failures > 0 && !refused) {
      nextAtMillis = Math.min(nextAtMillis, nowMillis);
    }
  }

  private long backOff() {
    failures++;
    return Math.min(config.retryMaxMillis(), config.retryMillis() << Math.min(failures - 1, 16));
  }

  /** The link as it is now. */
  public synchronized LinkStatus status(long nowMillis) {
    long roundTrip = clock.roundTripMillis();
    long behind = Math.max(0, peerPosition - peer.map(node::cursor).orElse(0L));
    double phi = detector.phi(nowMillis);
    LinkState state = state(behind, phi);
    boolean inStep = state == LinkState.IN_STEP;
    return new LinkStatus(
        url,
        peer,
        state,
        behind,
        inStep ? 0 : inStepAtMillis < 0 ? nowMillis : nowMillis - inStepAtMillis,
        roundTrip,
        clock.offsetMillis(),
        Math.max(0, roundTrip / 2),
        phi,
        heardAtMillis < 0 ? -1 : nowMillis - heardAtMillis,
        applied,
        problem);
  }

  private LinkState state(long behind, double phi) {
    if (cut) {
      return LinkState.CUT;
    }
    boolean silent = phi > FailureDetector.SUSPECT_PHI || failures >= FAILURES_SUSPECT;
    if (!refused && (silent || (heardAtMillis < 0 && failures > 0))) {
      return LinkState.UNREACHABLE;
    }
    if (heardAtMillis < 0) {
      return LinkState.CONNECTING;
    }
    if (refused) {
      return LinkState.REFUSED;
    }
    return behind > 0 ? LinkState.CATCHING_UP : LinkState.IN_STEP;
  }
}
