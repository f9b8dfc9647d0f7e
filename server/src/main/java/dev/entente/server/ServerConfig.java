// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.server.access.OpenId;
import dev.entente.server.access.RateLimits;
import dev.entente.server.watch.Watching;
import java.util.Optional;

/**
 * How to serve a node.
 *
 * @param host the address to listen on
 * @param port the port, 0 for any free one
 * @param token the administrator's token
 * @param peering how to take part in a cluster; empty for a node on its own
 * @param openId whose tokens to believe besides one's own
 * @param limits how fast clients may go on
 * @param watching from where on something is wrong, and how people are told
 */
public record ServerConfig(
    String host,
    int port,
    String token,
    Optional<Peering> peering,
    Optional<OpenId.Config> openId,
    RateLimits.Limits limits,
    Watching watching) {

  /** On this machine only, alone, with the usual limits. */
  public static ServerConfig of(int port, String token) {
    return new ServerConfig(
        "127.0.0.1",
        port,
        token,
        Optional.empty(),
        Optional.empty(),
        RateLimits.Limits.DEFAULT,
        Watching.DEFAULT);
  }

  public ServerConfig at(String address) {
    return new ServerConfig(address, port, token, peering, openId, limits, watching);
  }

  public ServerConfig with(Optional<Peering> cluster) {
    return new ServerConfig(host, port, token, cluster, openId, limits, watching);
  }

  public ServerConfig believing(Optional<OpenId.Config> provider) {
    return new ServerConfig(host, port, token, peering, provider, limits, watching);
  }

  public ServerConfig within(RateLimits.Limits bounds) {
    return new ServerConfig(host, port, token, peering, openId, bounds, watching);
  }

  public ServerConfig watched(Watching how) {
    return new ServerConfig(host, port, token, peering, openId, limits, how);
  }

  @Override
  public String toString() {
    return "ServerConfig[" + host + ":" + port + "]";
  }
}
