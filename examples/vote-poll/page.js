// A click is a POST; everything else is: load the page again.
const status = document.getElementById('status');

for (const button of document.querySelectorAll('button')) {
	button.addEventListener('click', async () => {
		const answer = await fetch('/ticket', { method: 'POST', body: new URLSearchParams({ uid: button.dataset.uid }) });
		const { status: ok, data, error } = await answer.json();
		if (ok) document.getElementById(`count-${data.uid}`).textContent = data.count;
		status.textContent = ok ? 'Your vote is counted.' : error;
	});
}

setTimeout(() => location.reload(), 2000);
