// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

/**
 * What became of a {@link Shipment}.
 *
 * @param applied how many versions joined
 * @param seen how many were here already
 * @param held how many wait for this node's clock or for what they build on
 * @param violated how many contradict causality and were kept aside
 * @param upTo up to where the sender's log has been taken
 * @param problem why the rest was not taken; empty where all was
 */
public record Intake(int applied, int seen, int held, int violated, long upTo, String problem) {}
