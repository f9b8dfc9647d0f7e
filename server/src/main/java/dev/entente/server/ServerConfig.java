// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.NodeTls;
import dev.entente.engine.AccessKeys;
import dev.entente.engine.Node;
import dev.entente.server.access.OpenId;
import dev.entente.server.access.RateLimits;
import dev.entente.server.recovery.Checkpoints;
import dev.entente.server.recovery.Scrubber;
import dev.entente.server.watch.Watching;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * How to serve a node.
 *
 * @param listener where to listen, and with which certificate
 * @param token the administrator's token
 * @param peering how to take part in a cluster; empty for a node on its own
 * @param openId whose tokens to believe besides one's own
 * @param limits how fast clients may go on
 * @param watching from where on something is wrong, and how people are told
 * @param safety how often what the node is gets kept
 * @param traces who is told where requests spend their time
 */
public record ServerConfig(
    Listener listener,
    String token,
    Optional<Peering> peering,
    Optional<OpenId.Config> openId,
    RateLimits.Limits limits,
    Watching watching,
    Safety safety,
    Optional<TraceTarget> traces) {

  /**
   * How often a node keeps a checkpoint, and for how long; and for how long old versions.
   *
   * @param every zero for only when somebody asks
   * @param keepMax how many checkpoints are kept at most; 0 for no bound
   * @param retentionDays 0 for good; what tenants say of themselves comes first
   * @param retentionVersions how many versions of a record are kept; 0 for any number
   * @param scrub how often and how fast all files are compared with their checksums
   */
  public record Safety(
      Duration every,
      Duration keep,
      int keepMax,
      int retentionDays,
      int retentionVersions,
      Scrubber.Pace scrub) {
    /** Every 15 minutes, for 7 days; versions for 30. */
    public static final Safety DEFAULT =
        new Safety(Duration.ofMinutes(15), Duration.ofDays(7), 0, 30, 0, Scrubber.Pace.DEFAULT);
  }

  /** On this machine only, alone, with the usual limits. */
  public static ServerConfig of(int port, String token) {
    return of(Listener.local("127.0.0.1", port), token);
  }

  /** On a given address, alone, with the usual limits. */
  public static ServerConfig of(Listener listener, String token) {
    return new ServerConfig(
        listener,
        token,
        Optional.empty(),
        Optional.empty(),
        RateLimits.Limits.DEFAULT,
        Watching.DEFAULT,
        Safety.DEFAULT,
        Optional.empty());
  }

  public ServerConfig at(String address) {
    return new ServerConfig(
        new Listener(
            address, listener.port(), listener.tls(), listener.insecureHttp(), listener.names()),
        token,
        peering,
        openId,
        limits,
        watching,
        safety,
        traces);
  }

  public ServerConfig withToken(String administrator) {
    return new ServerConfig(
        listener, administrator, peering, openId, limits, watching, safety, traces);
  }

  /** Whose word counts at this node on what operators decide for all nodes. */
  public AccessKeys accessKeys() {
    return AccessKeys.of(token, peering.map(Peering::administrators).orElse(Set.of()));
  }

  public ServerConfig with(Optional<Peering> cluster) {
    return new ServerConfig(listener, token, cluster, openId, limits, watching, safety, traces);
  }

  public ServerConfig believing(Optional<OpenId.Config> provider) {
    return new ServerConfig(listener, token, peering, provider, limits, watching, safety, traces);
  }

  public ServerConfig within(RateLimits.Limits bounds) {
    return new ServerConfig(listener, token, peering, openId, bounds, watching, safety, traces);
  }

  public ServerConfig watched(Watching how) {
    return new ServerConfig(listener, token, peering, openId, limits, how, safety, traces);
  }

  public ServerConfig kept(Safety how) {
    return new ServerConfig(listener, token, peering, openId, limits, watching, how, traces);
  }

  public ServerConfig traced(Optional<TraceTarget> target) {
    return new ServerConfig(listener, token, peering, openId, limits, watching, safety, target);
  }

  /**
   * The certificate for clients: the listener's, or else the one that nodes prove themselves with.
   */
  Optional<NodeTls> tls() {
    return listener.tls().or(() -> peering.flatMap(Peering::tls));
  }

  /** Where checkpoints of a node are kept, if its data are on a disk. */
  Optional<Checkpoints> checkpoints(Node node) {
    return watching
        .directory()
        .map(data ->
            new Checkpoints(node, data.resolve("checkpoints"), safety.keep(), safety.keepMax()));
  }

  @Override
  public String toString() {
    return "ServerConfig[" + listener.host() + ":" + listener.port() + "]";
  }
}
