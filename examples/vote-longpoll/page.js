// One request is always waiting. When it is answered, the next one is sent.
const status = document.getElementById('status');
const show = ({ uid, count }) => (document.getElementById(`count-${uid}`).textContent = count);

for (const button of document.querySelectorAll('button')) {
	button.addEventListener('click', async () => {
		const answer = await fetch('/vote', { method: 'POST', body: new URLSearchParams({ uid: button.dataset.uid }) });
		const { status: ok, error } = await answer.json();
		status.textContent = ok ? 'Your vote is counted.' : error;
	});
}

for (;;) {
	try {
		const answer = await fetch('/get_new_vote');
		const { status: changed, data, error } = await answer.json();
		if (error) throw new Error(error);
		if (changed) show(data);
	} catch (error) {
		status.textContent = `Trying again: ${error.message}`;
		await new Promise((resolve) => setTimeout(resolve, 1000 + 2000 * Math.random()));
	}
}
