// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The members of a group, as a node of them was told.
 *
 * @param self which of them this node is
 * @param addresses where each listens for the others, {@code host:port} by node name
 * @param directory where this member keeps the agreed log
 * @param waiting whether this node waits for the others to let it in; else all of them begin the
 *     group together
 */
public record Voters(String self, Map<String, String> addresses, Path directory, boolean waiting) {
  private static final String PORT = "[0-9]{1,5}";

  public Voters {
    addresses = Map.copyOf(new TreeMap<>(addresses));
    if (!addresses.containsKey(self)) {
      throw new IllegalArgumentException(
          "the voters " + addresses.keySet() + " do not include this node, " + self);
    }
    addresses.forEach(Voters::requireAddress);
  }

  /** Those who begin a group together. */
  public Voters(String self, Map<String, String> addresses, Path directory) {
    this(self, addresses, directory, false);
  }

  private static void requireAddress(String name, String address) {
    int colon = address.lastIndexOf(':');
    if (colon < 1 || !address.substring(colon + 1).matches(PORT)) {
      throw new IllegalArgumentException(
          "a voter is named as " + name + "=host:port, not " + name + "=" + address);
    }
  }

  /** The same, for a node that waits to be let in. */
  public Voters waits() {
    return new Voters(self, addresses, directory, true);
  }

  /**
   * Reads voters such as {@code eu=10.0.0.1:7500}, one an element.
   *
   * @throws IllegalArgumentException where they cannot be read
   */
  public static Voters of(String self, List<String> listed, Path directory) {
    Map<String, String> addresses = new TreeMap<>();
    for (String voter : listed) {
      int equals = voter.indexOf('=');
      if (equals < 1) {
        throw new IllegalArgumentException("a voter is named as name=host:port, not " + voter);
      }
      if (addresses.put(voter.substring(0, equals), voter.substring(equals + 1)) != null) {
        throw new IllegalArgumentException("the voter " + voter + " stands twice");
      }
    }
    return new Voters(self, addresses, directory);
  }

  /** Where this member listens. */
  String host() {
    String address = addresses.getOrDefault(self, "");
    return address.substring(0, address.lastIndexOf(':'));
  }

  int port() {
    String address = addresses.getOrDefault(self, "");
    return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
  }

  /**
   * Refuses voters that are reached over a network without encryption, where anybody could write in
   * their name.
   *
   * @throws IllegalArgumentException where one is, or has no address
   */
  static void requireEncrypted(Map<String, String> addresses, boolean encrypted) {
    addresses.forEach(Voters::requireAddress);
    List<String> remote = encrypted ? List.of() : remote(addresses);
    if (!remote.isEmpty()) {
      throw new IllegalArgumentException(
          "the voters "
              + String.join(", ", remote)
              + " are reached over a network, where anybody could write in their name: give every"
              + " node a certificate");
    }
  }

  private static List<String> remote(Map<String, String> addresses) {
    List<String> remote = new ArrayList<>();
    addresses.forEach((name, address) -> {
      String host = address.substring(0, address.lastIndexOf(':'));
      try {
        if (!InetAddress.getByName(host).isLoopbackAddress()) {
          remote.add(name);
        }
      } catch (UnknownHostException e) {
        remote.add(name);
      }
    });
    return remote;
  }
}
