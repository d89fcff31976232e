/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The few kernel structures that are read, with only the fields that are read. CO-RE relocates every access to the running
 * kernel's layout; a field that moved has a flavour (name___what) of its own.
 */
#ifndef SKBSPAN_KERNEL_H
#define SKBSPAN_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* Hides what the compiler knows of a value, so that it compares the value itself and the verifier learns the bound. */
#define keep_check(value) asm volatile("" : "+r"(value))

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct ns_common___with_id {
	__u64 ns_id; /* since 6.18: the cookie of every kind of namespace */
};

struct net {
	struct ns_common ns;
	__u64 net_cookie;
};

struct net___with_ns_id {
	struct ns_common___with_id ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct net_device {
	char name[16];
	int ifindex;
	possible_net_t nd_net;
	unsigned short hard_header_len;
	unsigned short type;
};

struct in6_addr {
	__u8 in6_u[16];
};

/* The first 16 bytes tell connections apart: addresses (of IPv4), their hash (of IPv6 too), ports. */
struct sock_common {
	__u64 skc_addrpair;
	unsigned int skc_hash;
	__u32 skc_portpair;
	__u32 skc_daddr;
	__u32 skc_rcv_saddr;
	__u16 skc_dport; /* big endian */
	__u16 skc_num;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	unsigned short skc_family;
	possible_net_t skc_net;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol;
	__u32 sk_max_ack_backlog; /* of listen(); what is accepted inherits it */
};

struct tcp_sock {
	__u32 write_seq;  /* of the next byte that the application writes */
	__u32 copied_seq; /* of the next byte that it reads */
	__u32 rcv_nxt;    /* of the next byte that comes */
};

struct dst_entry {
	struct net_device *dev;
};

struct bio_vec {
	const void *bv_page;
	unsigned int bv_len;
	unsigned int bv_offset;
};

struct skb_shared_info {
	__u8 nr_frags;
	unsigned short gso_size;
	unsigned short gso_segs;
	struct sk_buff *frag_list;
	struct bio_vec frags[17]; /* since 6.8 of struct skb_frag: the same three words */
};

struct sk_buff {
	struct net_device *dev;
	struct sock *sk;
	unsigned long _skb_refdst;
	unsigned int len;
	unsigned int data_len;
	__u8 cloned : 1;
	__u8 encapsulation : 1;
	__u32 mark;
	__u16 vlan_proto;
	__u16 vlan_tci;
	__u16 protocol;
	__u16 transport_header;
	__u16 network_header;
	__u16 mac_header;
	__u32 end;
	unsigned char *head;
	unsigned char *data;
	__u8 cb[48]; /* of TCP: begins with the sequence number of the first byte */
};

/* Until 6.1 a bit tells whether vlan_tci holds a tag; since 6.2 (commit 354259fa73e2) vlan_proto is zero when not. */
struct sk_buff___vlan_present {
	__u8 vlan_present : 1;
};

/* What an application gives to be sent. */
struct iov_iter {
	__u8 iter_type;
	size_t iov_offset; /* into the first piece */
	size_t count;
	const void *__iov; /* since 6.4; bvec and ubuf stand in the same place */
	unsigned long nr_segs;
};

struct iov_iter___until_6_4 {
	const void *iov;
};

struct msghdr {
	struct iov_iter msg_iter;
};

struct msghdr___until_6_4 {
	struct iov_iter___until_6_4 msg_iter;
};

enum iter_type {
	ITER_IOVEC, /* relocated: numbers differ by kernel */
	ITER_KVEC,
	ITER_BVEC,
	ITER_UBUF, /* since 6.0 */
};

struct iovec {
	const void *iov_base;
	size_t iov_len;
};

struct page {
	unsigned long flags;
};

struct list_head {
	struct list_head *next;
};

struct nsproxy {
	struct net *net_ns;
};

struct kernfs_node {
	const char *name;
	__u64 id;
	struct kernfs_node *parent;
};

struct kernfs_node___since_6_18 {
	struct kernfs_node *__parent; /* the parent is under RCU */
};

struct cgroup_root;

struct cgroup {
	struct kernfs_node *kn;
	struct cgroup_root *root; /* of its hierarchy */
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
};

struct css_set {
	struct cgroup_subsys_state *subsys[1]; /* one a controller that was built in: see css_set__memory */
	struct cgroup *dfl_cgrp;
};

enum cgroup_subsys_id {
	memory_cgrp_id = 0, /* relocated: its place in css_set.subsys differs by kernel */
};

struct inode {
	unsigned long i_ino;
	long long i_size;
};

struct file {
	struct inode *f_inode;
};

struct mm_struct {
	struct file *exe_file;
};

/* x86-64 alone has it. */
struct thread_struct {
	unsigned long fsbase; /* where the thread's own variables are */
};

struct task_struct {
	void *stack;
	unsigned int flags;
	int tgid;
	__u64 start_time;     /* CLOCK_MONOTONIC */
	__u64 start_boottime; /* CLOCK_BOOTTIME */
	struct mm_struct *mm;
	struct thread_struct thread;
	struct list_head tasks;
	struct task_struct *group_leader;
	struct nsproxy *nsproxy;
	struct css_set *cgroups;
	char comm[16];
};

/* The registers that a task entered the kernel with. */
struct pt_regs___of_task {
	unsigned long orig_ax; /* x86: the number of the system call; -1 after an interrupt or a fault */
};

#pragma clang attribute pop

#define TASK_IS_KERNEL_THREAD 0x00200000 /* PF_KTHREAD, the same bit since 2.6 */
#define TASK_STACK_BYTES 16384           /* THREAD_SIZE on x86-64 and arm64 */
#define SKBSPAN_AF_INET 2
#define SKBSPAN_AF_INET6 10
#define SKBSPAN_AF_PACKET 17

#endif
