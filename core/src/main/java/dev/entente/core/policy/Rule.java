// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

/**
 * Settles the conflicts for which its condition holds; the highest priority is asked first. Used
 * for escalations as well.
 */
public record Rule(String name, Condition when, StrategySpec then, int priority) {}
