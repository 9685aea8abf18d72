// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/ksm_engine: merging for processes that did not ask for it.
 *
 * KSM merges only what a process marked itself (madvise(), prctl()). Attaching marks for it,
 * whichever engine is at work: marked areas are found on in-tree KSM's list by either. A
 * thread goes over what attached processes have mapped since, at most once in a second and
 * for at most a hundredth of a CPU. What was marked is remembered, so that detaching undoes
 * nothing else (mm/mark.c).
 *
 * A process is named by a pidfd, so a reused number is never hit; what is attached is its
 * address space, held by mmgrab(): it exits when it wants to, and its record goes when the
 * thread notices. An exec() is a new address space, not attached.
 *
 * Locks, outermost first: ksm_thread_mutex (detaching only), one attachment's lock,
 * mmap_lock. list_lock nests inside all of them and is never held across a call.
 */
#include "compat/kernel.h"

#include <linux/compat.h>
#include <linux/freezer.h>
#include <linux/kthread.h>
#include <linux/miscdevice.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "engine.h"

/**
 * struct attachment - an address space that is attached
 * @node: on the list while it is attached, under list_lock
 * @users: references; the list has one
 * @lock: serialises work on it
 * @gone: detached or exited, under @lock: not on the list any more
 * @mm: held by mmgrab()
 * @pid: the process that was named, held
 * @map: ranges that we marked, under @lock
 * @state: KSM_ABI_ATTACHED_*, written under @lock
 * @areas: ranges in @map, and
 * @bytes: their size, as of the last change
 * @round: the thread's last round that saw it; its own
 */
struct attachment {
	struct list_head node;
	refcount_t users;
	struct mutex lock;
	bool gone;
	struct mm_struct *mm;
	struct pid *pid;
	struct maple_tree map;
	u32 state;
	u64 areas;
	u64 bytes;
	unsigned long round;
};

static LIST_HEAD(list);
static DEFINE_SPINLOCK(list_lock);
static DECLARE_WAIT_QUEUE_HEAD(list_wait);
static struct task_struct *thread;

static void put(struct attachment *a)
{
	if (!a || !refcount_dec_and_test(&a->users))
		return;
	mtree_destroy(&a->map);
	put_pid(a->pid);
	mmdrop(a->mm);
	kfree(a);
}

/* Referenced, or NULL. Under list_lock. */
static struct attachment *find_locked(struct mm_struct *mm)
{
	struct attachment *a;

	list_for_each_entry(a, &list, node) {
		if (a->mm == mm) {
			refcount_inc(&a->users);
			return a;
		}
	}
	return NULL;
}

static struct attachment *find(struct mm_struct *mm)
{
	struct attachment *a;

	spin_lock(&list_lock);
	a = find_locked(mm);
	spin_unlock(&list_lock);
	return a;
}

static struct attachment *find_or_add(struct mm_struct *mm, struct pid *pid)
{
	struct attachment *new, *a = find(mm);

	if (a)
		return a;
	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return NULL;
	mutex_init(&new->lock);
	mt_init(&new->map);
	mmgrab(mm);
	new->mm = mm;
	new->pid = get_pid(pid);
	refcount_set(&new->users, 1);

	/* Two callers may do this at once. */
	spin_lock(&list_lock);
	a = find_locked(mm);
	if (a) {
		spin_unlock(&list_lock);
		put(new);
		return a;
	}
	refcount_inc(&new->users);
	list_add_tail(&new->node, &list);
	spin_unlock(&list_lock);
	wake_up_interruptible(&list_wait);
	return new;
}

/* Under a->lock. */
static void forget(struct attachment *a)
{
	a->gone = true;
	spin_lock(&list_lock);
	list_del(&a->node);
	spin_unlock(&list_lock);
	put(a);
}

static void recount(struct attachment *a)
{
	u64 areas, bytes;

	ksme_marks_count(&a->map, &areas, &bytes);
	WRITE_ONCE(a->areas, areas);
	WRITE_ONCE(a->bytes, bytes);
}

/* ---- the thread ---- */

/* The next attachment that this round has not seen, referenced. */
static struct attachment *next_in_round(unsigned long round)
{
	struct attachment *a;

	spin_lock(&list_lock);
	a = list_first_entry_or_null(&list, struct attachment, node);
	if (a && a->round != round) {
		a->round = round;
		list_move_tail(&a->node, &list);
		refcount_inc(&a->users);
	} else {
		a = NULL;
	}
	spin_unlock(&list_lock);
	return a;
}

static void refresh(struct attachment *a)
{
	int ret;

	if (mutex_lock_killable(&a->lock))
		return;
	if (!a->gone) {
		ret = ksme_marks_look(a->mm, &a->map, &a->state);
		if (ret > 0)
			ret = ksme_mark(a->mm, &a->map);
		recount(a);
		if (ret == -ESRCH)
			forget(a);
	}
	mutex_unlock(&a->lock);
}

/* Returns how long it took, in jiffies. */
static unsigned long refresh_all(unsigned long round)
{
	unsigned long start = jiffies;
	struct attachment *a;

	while (!kthread_should_stop() && (a = next_in_round(round))) {
		refresh(a);
		put(a);
		cond_resched();
	}
	return jiffies - start;
}

static int attached(void *unused)
{
	unsigned long round = 0, pause = HZ;

	set_freezable();
	/* Stopping must not wait for a process that holds its mmap_lock for long. */
	allow_kernel_signal(SIGKILL);
	while (!kthread_should_stop()) {
		wait_event_freezable(list_wait, !list_empty(&list) || kthread_should_stop());
		wait_event_freezable_timeout(list_wait, kthread_should_stop(), pause);
		pause = max_t(unsigned long, HZ, 100 * refresh_all(++round));
	}
	return 0;
}

/* ---- the ioctl ---- */

/* What a pidfd names: its address space held by mmgrab(), and its pid, held. */
static struct mm_struct *target(int pidfd, struct pid **pid)
{
	unsigned int flags;
	struct task_struct *task;
	struct mm_struct *mm;

	task = pidfd_get_task(pidfd, &flags);
	if (IS_ERR(task))
		return ERR_CAST(task);
	if (task->flags & PF_KTHREAD) {
		mm = ERR_PTR(-EOPNOTSUPP);
	} else {
		mm = mm_access(task, PTRACE_MODE_ATTACH_REALCREDS);
		if (!mm)
			mm = ERR_PTR(-ESRCH);
	}
	if (!IS_ERR(mm)) {
		mmgrab(mm);
		mmput(mm);
		*pid = get_task_pid(task, PIDTYPE_TGID);
	}
	put_task_struct(task);
	return mm;
}

static void tell(struct ksm_abi_attach *arg, struct attachment *a)
{
	recount(a);
	arg->areas = a->areas;
	arg->bytes = a->bytes;
}

/* -EAGAIN: it was detached just now. */
static int attach_once(struct ksm_abi_attach *arg, struct mm_struct *mm, struct pid *pid)
{
	struct attachment *a = find_or_add(mm, pid);
	int err;

	if (!a)
		return -ENOMEM;
	err = mutex_lock_killable(&a->lock);
	if (err) {
		put(a);
		return -EINTR;
	}
	if (a->gone) {
		err = -EAGAIN;
	} else {
		err = ksme_mark(mm, &a->map);
		tell(arg, a);
		/* On any other error some of it is marked, and can be detached. */
		if (err == -ESRCH || (err && !a->areas))
			forget(a);
	}
	mutex_unlock(&a->lock);
	put(a);
	return err;
}

static int attach(struct ksm_abi_attach *arg, struct mm_struct *mm, struct pid *pid)
{
	int err;

	do {
		err = attach_once(arg, mm, pid);
	} while (err == -EAGAIN);
	if (!err)
		ksme_run_wake();
	return err;
}

static int detach_locked(struct ksm_abi_attach *arg, struct attachment *a)
{
	int err;

	tell(arg, a);
	err = ksme_unmark(a->mm, &a->map, &arg->pages);
	if (!err || err == -ESRCH)
		forget(a);
	return err;
}

static int query_locked(struct ksm_abi_attach *arg, struct attachment *a)
{
	tell(arg, a);
	return ksme_marks_merged(a->mm, &a->map, &arg->pages);
}

static int with_attachment(struct ksm_abi_attach *arg, struct mm_struct *mm,
			   int (*fn)(struct ksm_abi_attach *arg, struct attachment *a))
{
	struct attachment *a = find(mm);
	int err = -ENOENT;

	if (!a)
		return err;
	if (mutex_lock_killable(&a->lock)) {
		err = -EINTR;
	} else {
		if (!a->gone)
			err = fn(arg, a);
		mutex_unlock(&a->lock);
	}
	put(a);
	return err;
}

static int detach(struct ksm_abi_attach *arg, struct mm_struct *mm)
{
	int err;

	/* Neither engine merges anything while its pages are unshared. */
	if (mutex_lock_killable(ksme_intree.thread_mutex))
		return -EINTR;
	err = with_attachment(arg, mm, detach_locked);
	mutex_unlock(ksme_intree.thread_mutex);
	return err;
}

static int with_target(struct ksm_abi_attach *arg)
{
	struct pid *pid;
	struct mm_struct *mm;
	int err;

	if (arg->entry || arg->buffer || arg->count)
		return -EINVAL;
	mm = target(arg->pidfd, &pid);
	if (IS_ERR(mm))
		return PTR_ERR(mm);
	if (arg->op == KSM_ABI_ATTACH)
		err = attach(arg, mm, pid);
	else if (arg->op == KSM_ABI_DETACH)
		err = detach(arg, mm);
	else
		err = with_attachment(arg, mm, query_locked);
	put_pid(pid);
	mmdrop(mm);
	return err;
}

static void describe(struct ksm_abi_attached *entry, struct attachment *a)
{
	struct task_struct *task = get_pid_task(a->pid, PIDTYPE_TGID);

	memset(entry, 0, sizeof(*entry));
	if (task) {
		entry->pid = task_tgid_vnr(task);
		get_task_comm(entry->comm, task);
		put_task_struct(task);
	}
	entry->state = READ_ONCE(a->state);
	entry->areas = READ_ONCE(a->areas);
	entry->bytes = READ_ONCE(a->bytes);
	entry->merged = READ_ONCE(a->mm->ksm_merging_pages);
}

/* Room for every attachment, each referenced; NULL without memory. */
static struct attachment **snapshot(u64 *nr)
{
	struct attachment **all, *a;
	u64 room = 0;

	spin_lock(&list_lock);
	list_for_each_entry(a, &list, node)
		room++;
	spin_unlock(&list_lock);
	all = kvcalloc(room + 1, sizeof(*all), GFP_KERNEL);
	*nr = 0;
	if (!all)
		return NULL;
	spin_lock(&list_lock);
	list_for_each_entry(a, &list, node) {
		if (*nr == room)
			break;
		if (ksm_test_exit(a->mm))
			continue;
		refcount_inc(&a->users);
		all[(*nr)++] = a;
	}
	spin_unlock(&list_lock);
	return all;
}

static int copy_entry(struct ksm_abi_attach *arg, u64 n, struct attachment *a)
{
	char __user *to = u64_to_user_ptr(arg->buffer) + n * arg->entry;
	struct ksm_abi_attached entry;

	describe(&entry, a);
	if (copy_to_user(to, &entry, sizeof(entry)) ||
	    clear_user(to + sizeof(entry), arg->entry - sizeof(entry)))
		return -EFAULT;
	return 0;
}

static int list_all(struct ksm_abi_attach *arg)
{
	struct attachment **all;
	u64 room = arg->count, n;
	int err = 0;

	if (arg->pidfd || arg->entry < sizeof(struct ksm_abi_attached) || arg->entry > PAGE_SIZE)
		return -EINVAL;
	all = snapshot(&arg->count);
	if (!all)
		return -ENOMEM;
	for (n = 0; n < arg->count; n++) {
		if (!err && n < room)
			err = copy_entry(arg, n, all[n]);
		put(all[n]);
	}
	kvfree(all);
	return err;
}

static int act(struct ksm_abi_attach *arg)
{
	if (arg->flags || arg->areas || arg->bytes || arg->pages)
		return -EINVAL;
	switch (arg->op) {
	case KSM_ABI_ATTACH:
	case KSM_ABI_DETACH:
	case KSM_ABI_ATTACH_QUERY:
		return with_target(arg);
	case KSM_ABI_ATTACH_LIST:
		return list_all(arg);
	default:
		return -EINVAL;
	}
}

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	void __user *to = (void __user *)user;
	size_t size = _IOC_SIZE(cmd);
	struct ksm_abi_attach arg;
	int err;

	BUILD_BUG_ON(sizeof(arg) != KSM_ABI_ATTACH_SIZE_1);
	if (_IOC_TYPE(cmd) != _IOC_TYPE(KSM_ABI_ATTACH_IOCTL) ||
	    _IOC_NR(cmd) != _IOC_NR(KSM_ABI_ATTACH_IOCTL) ||
	    _IOC_DIR(cmd) != _IOC_DIR(KSM_ABI_ATTACH_IOCTL))
		return -ENOTTY;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (size < KSM_ABI_ATTACH_SIZE_1)
		return -EINVAL;
	err = copy_struct_from_user(&arg, sizeof(arg), to, size);
	if (err)
		return err;
	err = act(&arg);
	/* Also after a failure: part of the work may be done. */
	if (copy_to_user(to, &arg, sizeof(arg)))
		return -EFAULT;
	return err;
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = KSM_ABI_ENGINE_NAME,
	.fops = &device_fops,
	.mode = 0600,
};

/**
 * ksme_attach_start - create the device
 *
 * Return: 0, or what the kernel said, with one line in the log.
 */
int ksme_attach_start(void)
{
	int err;

	thread = kthread_run(attached, NULL, KSM_ABI_ATTACH_THREAD);
	if (IS_ERR(thread)) {
		pr_err("cannot create the attach thread (%ld)\n", PTR_ERR(thread));
		return PTR_ERR(thread);
	}
	err = misc_register(&device);
	if (err) {
		pr_err("cannot create " KSM_ABI_DEV " (%d)\n", err);
		kthread_stop(thread);
	}
	return err;
}

/**
 * ksme_attach_stop - remove the device and forget all attachments
 *
 * An open device holds the module, so nobody is inside. Marks stay, as if the processes had
 * set them themselves.
 */
void ksme_attach_stop(void)
{
	struct attachment *a, *next;

	misc_deregister(&device);
	send_sig(SIGKILL, thread, 1);
	kthread_stop(thread);
	list_for_each_entry_safe(a, next, &list, node) {
		list_del(&a->node);
		put(a);
	}
}
